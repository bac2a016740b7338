"""Devices to tick in a form, room by room: all of a home, or of one with many devices those of a room.

Which one is `?room=hall` at first, and then what the form brings: `room`, chosen in it, and `show` where nothing but
that room is wanted. What is ticked in rooms that are not shown stands in the form as well, ticked.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from aiohttp import web

from gateway.pages import acts
from gateway.pages.forms import Form
from gateway.pages.speaking import say
from gateway.picture.views import RoomView
from shared.words.names import Action

MOST_SHOWN: Final = 300
"""Devices of one page; of more it shows a room's."""


class Ticked(NamedTuple):
    """A field of a room that is not shown: its name in the form, and what people call it."""

    name: str
    label: str


class Picks(NamedTuple):
    """Whose devices stand in the form; where it is one room of many `others` to choose from, and `ticked` in those."""

    rooms: tuple[RoomView, ...]
    others: tuple[RoomView, ...] = ()
    ticked: tuple[Ticked, ...] = ()


def only_looks(form: Form) -> bool:
    """Whether the form is to be shown with another room, and nothing to be done."""
    return "show" in form


def of(request: web.Request, rooms: tuple[RoomView, ...], form: Form) -> Picks:
    """Of the rooms that whoever asks may see; the first one where they chose none, or one that is not there."""
    if sum(len(room.devices) for room in rooms) <= MOST_SHOWN:
        return Picks(rooms)
    chosen = form.text("room") or request.query.get("room")
    shown = next((room for room in rooms if room.id == chosen), rooms[0])
    names = named(rooms)
    away = [name for name in form.names() if "/" in name and not name.startswith(f"{shown.id}/")]
    return Picks((shown,), rooms, tuple(Ticked(name, _label(name, names)) for name in away))


def named(rooms: Iterable[RoomView]) -> dict[str, str]:
    """What people call each device, "Lamp in Hall", by its place, `hall/lamp`."""
    return {
        f"{room.id}/{device.id}": say("{device} in {room}", device=device.name, room=room.name)
        for room in rooms
        for device in room.devices
    }


def _label(name: str, names: dict[str, str]) -> str:
    """Of a field such as "hall/lamp" or "hall/lamp on"; as it is where the home knows no such device any more."""
    place, _, may = name.partition(" ")
    if place not in names:
        return name
    if not may:
        return names[place]
    what = acts.label(Action(may)) if may in Action.__members__.values() else say("look")
    return f"{names[place]}: {what}"
