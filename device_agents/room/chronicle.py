"""Has the room's inputs tell what happened, for the history: doors, motion, bells; whether there is a hub or not."""

import logging
from collections.abc import Callable, Iterable

from device_agents.devices.input import Happening
from device_agents.ids import made_id
from device_agents.ledger.ledger import Ledger
from device_agents.room.device import Device
from device_agents.room.passing import Passing, Told
from device_agents.room.room import Room
from shared.running.log import facts
from shared.words.messages import Value
from shared.words.names import Kind
from shared.words.problem import HomeError

log = logging.getLogger(__name__)


class Chronicle:
    """`mention` writes events that nothing waits for; `now` is monotonic seconds, `wall` tells seconds since 1970."""

    def __init__(self, room: Room, ledger: Ledger, mention: Callable[..., None], wall: Callable[[], float]) -> None:
        """Made before the room starts: it looks up where every door stood when an earlier process saw it last."""
        self._room = room
        self._mention = mention
        self._wall = wall
        self._doors = [device for device in room.devices.values() if device.config.kind is Kind.CONTACT]
        self._passing = Passing()
        for door in self._doors:
            try:
                stood, _ = ledger.stood(door.id)
            except HomeError as error:
                log.warning("Last state cannot be read", extra=facts(device=door.id, reason=error.detail))
                continue
            if stood is not None:
                self._passing.knew(door.id, stood.value)

    def start(self, now: float) -> None:
        """The room has looked at its inputs; a door may have moved while nobody did. The ledger learns where it is."""
        for door in self._doors:
            if not self._passing.knows(door.id, _value(door)):
                self._room.remember(door)
            self.heard(door, (), now)

    def heard(self, device: Device, events: Iterable[Happening], now: float) -> None:
        """There is news of an input."""
        wall = self._wall()
        if device.config.kind is Kind.CONTACT:
            self._tell(self._passing.stands(device.id, _value(device), now, wall))
        for event in events:
            self._tell(self._passing.happened(device.id, device.config.kind, event, now, wall))

    def deadline(self) -> float | None:
        """When a sum is to be told."""
        return self._passing.deadline()

    def tick(self, now: float) -> None:
        """Tell the sums whose time has come."""
        if (due := self._passing.deadline()) is not None and due <= now:
            self._tell(self._passing.due(now))

    def stop(self, now: float) -> None:
        """The agent ends: tell what was not told yet."""
        self._tell(self._passing.rest(now))

    def _tell(self, told: list[Told]) -> None:
        if told:
            self._mention(*(one.event(made_id(), self._room.name) for one in told))


def _value(device: Device) -> Value:
    return None if device.ailment is not None else device.signal.value
