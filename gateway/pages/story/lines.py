"""What a line of the story holds, pure: said in a few words, with what proves it one tap away."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from gateway.picture.plain import plain
from gateway.picture.views import DeviceView, RoomView


class Stamp(NamedTuple):
    """One thing that was told: `row` and `hash` where it stands in the record, both empty for what merely happened."""

    row: int | None
    hash: str
    source: str
    at: datetime
    received_at: datetime
    said: str


class Line(NamedTuple):
    """One line. `picture` is an icon's name, `tone` "good", "bad", "unsure" or empty; `notes` say what needs saying.

    `stamps` are what the line was made of, the newest first; `anchor` names the line in the page.
    """

    anchor: str
    picture: str
    at: datetime
    what: str
    where: str
    who: str
    address: str
    outcome: str
    tone: str
    severity: str
    notes: tuple[str, ...]
    stamps: tuple[Stamp, ...]

    def has(self, row: int | None) -> bool:
        """Whether that row of the record is told here."""
        return row is not None and any(stamp.row == row for stamp in self.stamps)


def room_named(place: str, rooms: Iterable[RoomView]) -> str:
    """The room of a place by its name, where it has one."""
    first = place.partition("/")[0]
    return next((plain(room.name) for room in rooms if room.id == first), plain(first, 32))


def device_at(place: str, rooms: Iterable[RoomView]) -> DeviceView | None:
    """The device that is there now."""
    first, _, second = place.partition("/")
    devices = (device for room in rooms if room.id == first for device in room.devices)
    return next((device for device in devices if device.id == second), None)


def named(place: str, rooms: Iterable[RoomView]) -> str:
    """A place by its name, where it has one."""
    first, _, second = place.partition("/")
    for room in rooms:
        if (first, second) in (("room", room.id), (room.id, "")):
            return plain(room.name)
        if room.id == first and (device := device_at(place, (room,))) is not None:
            return f"{plain(device.name)}, {plain(room.name)}"
    return plain(second if first in ("room", "client", "certificate") else place, 80)
