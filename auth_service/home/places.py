"""Whether there are the devices that somebody names, pure; a complaint names those that there are."""

from collections.abc import Iterable

from shared.words.internal import RegisteredRoom
from shared.words.problem import HomeError


def check(rooms: Iterable[RegisteredRoom], places: Iterable[str]) -> tuple[str, ...]:
    """Those of `places` (`hall/lamp`) of which nobody knows yet: their room never came up to say what it has.

    `rooms` are all that stand. Raises HomeError: not-found (the room), unknown-device.
    """
    known = {room.id: [device.id for device in room.devices] for room in rooms}
    unheard = []
    for place in dict.fromkeys(places):
        room, _, device = place.partition("/")
        if room not in known:
            raise HomeError("not-found", no_room(room, known))
        if not known[room]:
            unheard.append(place)
        elif device not in known[room]:
            raise HomeError("unknown-device", no_device(room, device, known[room]))
    return tuple(unheard)


def no_room(room: str, known: Iterable[str]) -> str:
    """The complaint about a room; `known` are those that stand."""
    return f"There is no room {room}; these are enrolled: {', '.join(sorted(known)) or 'none'}."


def no_device(room: str, device: str, known: Iterable[str]) -> str:
    """The complaint about a device; `known` are those that the room has."""
    if listed := ", ".join(sorted(known)):
        return f"The room {room} has no device {device}; it has: {listed}."
    return (
        f"The room {room} has no device {device} that is known: it has not said yet what it has. Start its agent, and "
        "try again when it is online."
    )
