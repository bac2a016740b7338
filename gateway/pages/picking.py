"""Devices to tick in a form, room by room: all of a home, or of one with many devices those of a room, `?room=hall`."""

from typing import Final, NamedTuple

from aiohttp import web

from gateway.picture.views import RoomView

MOST_SHOWN: Final = 300
"""Devices of one page; of more it shows a room's."""


class Picks(NamedTuple):
    """Whose devices stand in the form; `others`: the rooms to choose from, where it is one of them."""

    rooms: tuple[RoomView, ...]
    others: tuple[RoomView, ...] = ()


def of(request: web.Request, rooms: tuple[RoomView, ...]) -> Picks:
    """Of the rooms that whoever asks may see; the first one where they chose none."""
    if sum(len(room.devices) for room in rooms) <= MOST_SHOWN:
        return Picks(rooms)
    chosen = request.query.get("room", rooms[0].id)
    return Picks(tuple(room for room in rooms if room.id == chosen), rooms)
