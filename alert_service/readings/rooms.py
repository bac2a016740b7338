"""What was heard of the rooms, pure: which is there, what its devices are and said, and the timeline of each.

Times are milliseconds since 1970 by the hub's clock; how long a room was silent goes by a steady clock, in seconds.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from alert_service.readings.quantities import KINDS, said
from alert_service.readings.timeline import Row, Timeline
from shared.running.log import facts
from shared.words.messages import ROOM_SILENCE_SECONDS, Availability, Description, State
from shared.words.names import Kind

log = logging.getLogger(__name__)

MOST_DEVICES = 20_000
"""Timelines in all: a stranger in a room's name must not fill the memory."""
MOST_OF_A_ROOM = 256


class Device(NamedTuple):
    """Whose timeline it is; another kind under the same name is another device."""

    room: str
    id: str
    kind: Kind


class _Room:
    __slots__ = ("heard_at", "heard_steady", "kinds", "session", "states", "there")

    def __init__(self) -> None:
        self.kinds: dict[str, Kind] = {}
        self.states: dict[str, State] = {}
        self.session: str | None = None
        self.there = False
        self.heard_at = 0
        self.heard_steady = 0.0


class Rooms:
    """All rooms. `is_wanted` says of `room/device` whether its owner wants it recorded."""

    def __init__(
        self, known: Mapping[Device, Row], *, known_until: int, is_wanted: Callable[[str], bool] = lambda _: True
    ) -> None:
        self.timelines = {device: Timeline(row, known_until) for device, row in known.items()}
        self.floor = known_until
        """Nothing is set before this moment: what lies before it is summed up."""
        self._rooms: dict[str, _Room] = {}
        self._is_wanted = is_wanted
        self._full = False

    def describe(self, name: str, description: Description | None, now: int) -> None:
        """What a room has; None once it is cleared because the room was revoked."""
        if description is None:
            self._leave(name, now)
            self._rooms.pop(name, None)
            return
        room = self._rooms.setdefault(name, _Room())
        kinds = {device.id: device.kind for device in description.devices if device.kind in KINDS}
        for gone in room.kinds.items() - kinds.items():
            if (timeline := self.timelines.get(Device(name, *gone))) is not None:
                timeline.leave(now)
        room.kinds = kinds
        self._tell_all(name, room, now, live=False)

    def hear_of(self, name: str, there: Availability, *, now: int, steady: float) -> None:
        """A heartbeat, a goodbye or a will. A retained one may be a dead room's: silence will tell."""
        room = self._rooms.setdefault(name, _Room())
        if there.status == "offline":
            if room.session in (None, there.session):
                self._leave(name, now)
            return
        room.session = there.session
        self._heard(name, room, now, steady)

    def hear(self, name: str, device: str, state: State, *, retained: bool, now: int, steady: float) -> None:
        """A state. Live it says that its room is there, too."""
        room = self._rooms.setdefault(name, _Room())
        if device not in room.states and len(room.states) >= MOST_OF_A_ROOM:
            return
        room.states[device] = state
        if not retained and not room.there:
            self._heard(name, room, now, steady)
        elif room.there:
            self._tell(name, room, device, now, live=not retained)

    def look(self, steady: float) -> None:
        """Who was not heard for too long is away since then."""
        for name, room in self._rooms.items():
            if room.there and steady - room.heard_steady > ROOM_SILENCE_SECONDS:
                self._leave(name, room.heard_at)

    def link_down(self, at: int) -> None:
        """Our own link is gone: nothing can be said of anybody."""
        for timeline in self.timelines.values():
            timeline.doubt(at)
        for room in self._rooms.values():
            room.there = False

    def settle(self) -> None:
        """Our link has been up for a while: whoever was not heard is not there."""
        for timeline in self.timelines.values():
            timeline.settle()

    def pass_over(self, before: int, now: int) -> None:
        """The clock ran ahead at once: of what lies between nothing is known, and what was said holds from now on."""
        for name, room in self._rooms.items():
            for device, kind in room.kinds.items():
                if (timeline := self.timelines.get(Device(name, device, kind))) is not None:
                    timeline.leave(before)
            room.heard_at = now
            self._tell_all(name, room, now, live=False)

    def turn_back(self, now: int) -> None:
        """The hub's clock was set back."""
        self.floor = min(self.floor, now)
        for timeline in self.timelines.values():
            timeline.turn_back(now)
        for name, room in self._rooms.items():
            room.heard_at = min(room.heard_at, now)
            if room.there:
                self._tell_all(name, room, now, live=True)

    def waiting(self) -> Iterator[tuple[Device, Timeline]]:
        """The timelines with something to be written."""
        return ((device, timeline) for device, timeline in self.timelines.items() if timeline.waiting)

    def _heard(self, name: str, room: _Room, now: int, steady: float) -> None:
        was_there, room.there = room.there, True
        room.heard_at, room.heard_steady = now, steady
        if not was_there:
            self._tell_all(name, room, now, live=False)

    def _leave(self, name: str, at: int) -> None:
        room = self._rooms.get(name)
        if room is None:
            return
        room.there = False
        for device, kind in room.kinds.items():
            if (timeline := self.timelines.get(Device(name, device, kind))) is not None:
                timeline.leave(at)

    def _tell_all(self, name: str, room: _Room, now: int, *, live: bool) -> None:
        for device in room.states:
            self._tell(name, room, device, now, live=live)

    def _tell(self, name: str, room: _Room, device: str, now: int, *, live: bool) -> None:
        kind = room.kinds.get(device)
        if kind is None or not room.there or not self._is_wanted(f"{name}/{device}"):
            return
        key = Device(name, device, kind)
        timeline = self.timelines.get(key)
        if timeline is None:
            if len(self.timelines) >= MOST_DEVICES:
                self._complain()
                return
            timeline = self.timelines[key] = Timeline()
        state = room.states[device]
        since = int(state.since.timestamp() * 1000)
        # Of a room that was away: what it says holds from when we hear it again.
        floor = self.floor if timeline.unsure_from is not None or timeline.last is None or live else now
        timeline.hear(said(kind, state), since, now=now, live=live, floor=floor)

    def _complain(self) -> None:
        if not self._full:
            self._full = True
            log.warning("No further device is recorded", extra=facts(most=MOST_DEVICES))
