"""The home as this gateway sees it, pure: folded from registry, descriptions, availability and states.

What was not heard on this connection is unknown (docs/broker.md): a room counts as online only after a live heartbeat,
and a state is shown only while its room is online. Nothing here does I/O; `now` is monotonic seconds.
"""

from collections.abc import Iterable
from typing import Final

from gateway.picture.changes import (
    Born,
    Change,
    DescriptionChanged,
    LockdownChanged,
    OrderChanged,
    StateChanged,
    StatusChanged,
)
from gateway.picture.devices import Device, devices_of
from gateway.picture.heard import Heard
from gateway.picture.pending import Pending, Place
from gateway.picture.sums import RoomSum, Seen, sum_up
from gateway.picture.views import DeviceView, RoomView, Status, view_of
from shared.words import naming
from shared.words.arranging import rooms_in_order
from shared.words.internal import LockdownState, RegisteredRoom, Registry
from shared.words.looks import HomeLook
from shared.words.messages import ROOM_SILENCE_SECONDS, Availability, Description, State
from shared.words.naming import Called

_MOST_STATES: Final = 128
"""What is kept of one room, whatever it says; twice what a description may list."""


class Home:
    """The picture. Each `hear_…` folds one fact in and returns what changed for whoever watches."""

    def __init__(self) -> None:
        self._registered: dict[str, RegisteredRoom] = {}  # in the order in which they are shown
        self._called: dict[str, str] = {}
        self._rooms: dict[str, Heard] = {}
        self.pending = Pending()
        self.waiting = 0
        """Of so many devices their rooms would loosen something, and the master user has not decided."""
        self.lockdown = LockdownState()
        """Before the first registry came nothing is locked down, and there is no device either."""

    # --- asking -----------------------------------------------------------------------------------------------

    def rooms(self) -> tuple[RoomView, ...]:
        """Every room that is enrolled and not revoked, in the home's order."""
        return tuple(self._room_view(room) for room in self._registered.values())

    def room(self, room: str) -> RoomView | None:
        """One room; None for one that nobody enrolled."""
        registered = self._registered.get(room)
        return self._room_view(registered) if registered is not None else None

    def sum(self, room: str) -> RoomSum | None:
        """One room in sums."""
        heard, registered = self._rooms.get(room), self._registered.get(room)
        if heard is None or registered is None:
            return None
        if heard.total is None:
            known = heard.states if heard.status == "online" else {}
            seen = (Seen(d.kind, d.name, known.get(d.id), d.lockout_by is not None) for d in heard.devices.values())
            heard.total = sum_up(room, self._called[room], heard.status, seen)
        return heard.total

    def names(self) -> tuple[str, ...]:
        """The ids of all rooms, in the home's order: to ask for each in turn where all at once would take long."""
        return tuple(self._registered)

    def device(self, room: str, device: str) -> Device | None:
        """What a device is and offers, without its state."""
        heard = self._rooms.get(room)
        return heard.devices.get(device) if heard is not None else None

    def look(self, room: str, device: str | None = None) -> HomeLook:
        """What the master user says of a room, or of a device in it."""
        if device is not None:
            found = self.device(room, device)
            return found.look if found is not None else HomeLook()
        return self._registered[room].look if room in self._registered else HomeLook()

    def view(self, room: str, device: str) -> DeviceView | None:
        """One device as people see it."""
        heard = self._rooms.get(room)
        if heard is None or (found := heard.devices.get(device)) is None:
            return None
        if (view := heard.views.get(device)) is None:
            state = heard.states.get(device) if heard.status == "online" else None
            view = heard.views[device] = view_of(found, heard.status, state, self.pending.of(room, device))
        return view

    def status(self, room: str) -> Status:
        """Whether the room is there, as far as it is known."""
        heard = self._rooms.get(room)
        return heard.status if heard is not None else "unknown"

    def state(self, room: str, device: str) -> State | None:
        """The device's state, None unless its room is online."""
        heard = self._rooms.get(room)
        return heard.states.get(device) if heard is not None and heard.status == "online" else None

    def states(self, room: str) -> tuple[tuple[str, State | None], ...]:
        """Every device of the room with its state, None unless the room is online."""
        heard = self._rooms.get(room)
        if heard is None:
            return ()
        known = heard.states if heard.status == "online" else {}
        return tuple((device, known.get(device)) for device in heard.devices)

    def description(self, room: str) -> Description | None:
        """The room's last description."""
        heard = self._rooms.get(room)
        return heard.description if heard is not None else None

    def unregistered(self) -> tuple[str, ...]:
        """Rooms that are online but of which the registry does not know every device yet."""
        return tuple(
            name
            for name, heard in self._rooms.items()
            if heard.status == "online"
            and (
                heard.description is None
                or name not in self._registered
                or any(device.id not in heard.devices for device in heard.description.devices)
            )
        )

    # --- hearing ----------------------------------------------------------------------------------------------

    def set_registry(self, registry: Registry) -> list[Change]:
        """The whole registry, as the auth service holds it true."""
        self.waiting = registry.waiting
        changes = self._take(registry.rooms)
        changes += self.show(self.pending.set_all(registry.pending))
        return changes + self.set_lockdown(registry.lockdown)

    def show(self, places: Iterable[Place]) -> list[Change]:
        """Other wishes are `pending` there than before."""
        rooms = dict[str, None]()
        for room, device in places:
            if (heard := self._rooms.get(room)) is not None:
                heard.changed(device)
                rooms[room] = None
        return [DescriptionChanged(room) for room in rooms]

    def set_lockdown(self, told: LockdownState) -> list[Change]:
        """Whether the home is locked down.

        What is older than what stands is left: an answer that was under way when a lockdown began, or what a broker
        that was killed had retained.
        """
        stands = self.lockdown
        if told == stands or (stands.at is not None and (told.at is None or told.at < stands.at)):
            return []
        self.lockdown = told
        return [LockdownChanged(told)]

    def set_room(self, room: RegisteredRoom) -> list[Change]:
        """One room of the registry."""
        if self._registered.get(room.id) == room:
            return []
        return self._take((self._registered | {room.id: room}).values())

    def hear_description(self, room: str, description: Description) -> list[Change]:
        """What a room says that it offers."""
        heard = self._rooms.setdefault(room, Heard())
        if heard.description == description:
            return []
        heard.description = description
        return self._rebuild(room)

    def forget_room(self, room: str) -> list[Change]:
        """The room's description was cleared: it was revoked."""
        heard = self._rooms.pop(room, None)
        changes: list[Change] = []
        if heard is not None and heard.status != "unknown":
            changes.append(StatusChanged(room, "unknown"))
        if room not in self._registered:
            return changes + self._rebuild(room)
        return changes + self._take([one for one in self._registered.values() if one.id != room])

    def hear_state(self, room: str, device: str, state: State) -> list[Change]:
        """A device's last value, retained or live."""
        heard = self._rooms.setdefault(room, Heard())
        if device not in heard.states and len(heard.states) >= _MOST_STATES:
            return []
        heard.states[device] = state
        heard.changed(device)
        if heard.status == "online" and device in heard.devices:
            return [StateChanged(room, device, state)]
        return []

    def forget_state(self, room: str, device: str) -> list[Change]:
        """A retained state was cleared: the device is gone."""
        heard = self._rooms.get(room)
        if heard is None or heard.states.pop(device, None) is None:
            return []
        heard.changed(device)
        return [StateChanged(room, device, None)] if heard.status == "online" else []

    def hear_availability(self, room: str, said: Availability, *, retained: bool, now: float) -> list[Change]:
        """A heartbeat, a goodbye or a will. A retained `online` proves nothing: a killed broker keeps a dead room's."""
        heard = self._rooms.setdefault(room, Heard())
        if said.status == "online":
            return [] if retained else self._heartbeat(room, heard, said.session, now)
        if heard.session is not None and said.session != heard.session:
            return []  # the will of an earlier life
        if heard.status == "offline":
            return []
        heard.become("offline")
        return [StatusChanged(room, "offline")]

    def link_down(self) -> list[Change]:
        """Our link to the broker is gone: nothing is known any more, and retained states come anew with the next."""
        changes: list[Change] = []
        for name, heard in self._rooms.items():
            if heard.status != "unknown":
                changes.append(StatusChanged(name, "unknown"))
            heard.session = None
            heard.become("unknown")
            heard.states.clear()
        return changes

    def tick(self, now: float) -> list[Change]:
        """Rooms that were silent for too long are unknown."""
        changes: list[Change] = []
        for name, heard in self._rooms.items():
            if heard.status == "online" and now - heard.heard_at > ROOM_SILENCE_SECONDS:
                heard.become("unknown")
                changes.append(StatusChanged(name, "unknown"))
        return changes

    # --- inside -----------------------------------------------------------------------------------------------

    def _heartbeat(self, room: str, heard: Heard, session: str, now: float) -> list[Change]:
        heard.heard_at = now
        if heard.session == session and heard.status == "online":
            return []
        changes: list[Change] = []
        if heard.session != session:
            heard.session = session
            changes.append(Born(room))
        if heard.status != "online":
            heard.become("online")
            changes.append(StatusChanged(room, "online"))
            changes += [
                StateChanged(room, device, state) for device, state in heard.states.items() if device in heard.devices
            ]
        return changes

    def _take(self, rooms: Iterable[RegisteredRoom]) -> list[Change]:
        """These are the rooms, whatever was registered before."""
        by_id = {room.id: room for room in rooms}
        before, called = self._registered, self._called
        self._registered = {room: by_id[room] for room in rooms_in_order(by_id.values())}
        self._called = naming.names(Called(one.id, one.name, one.look.name) for one in self._registered.values())
        changes: list[Change] = []
        for name in dict.fromkeys([*before, *self._registered]):
            if before.get(name) != self._registered.get(name) or called.get(name) != self._called.get(name):
                changes += self._rebuild(name, is_new=name not in before)
        if tuple(before) != tuple(self._registered):
            changes.append(OrderChanged())
        return changes

    def _rebuild(self, room: str, *, is_new: bool = False) -> list[Change]:
        """Work out the room's devices anew from registry and description. With what is new goes what was heard of it
        already: a room may be there before the registry is, and a state before its device is described.
        """
        registered = self._registered.get(room)
        heard = self._rooms.get(room) if registered is None else self._rooms.setdefault(room, Heard())
        if heard is None:
            return [DescriptionChanged(room)]
        changes, before = list[Change]([DescriptionChanged(room)]), heard.devices
        heard.devices = devices_of(registered, heard.description) if registered is not None else {}
        heard.changed()
        if is_new and heard.status != "unknown":
            changes.append(StatusChanged(room, heard.status))
        if heard.status == "online":
            new = heard.devices.keys() & heard.states.keys() - before.keys()
            changes += [StateChanged(room, device, heard.states[device]) for device in sorted(new)]
        return changes

    def _room_view(self, registered: RegisteredRoom) -> RoomView:
        heard = self._rooms.get(registered.id)
        devices = (self.view(registered.id, device) for device in (heard.devices if heard is not None else ()))
        name = self._called[registered.id]
        return RoomView(
            id=registered.id,
            name=name,
            own_name=registered.name if registered.name != name else None,
            icon=registered.look.icon,
            hidden=registered.look.hidden,
            status=self.status(registered.id),
            devices=tuple(view for view in devices if view is not None),
        )
