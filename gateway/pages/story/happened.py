"""What happened without anybody's doing, in words, pure: doors, motion, bells, and rooms that were away."""

from collections.abc import Iterable

from gateway.pages import times
from gateway.pages.speaking import say
from gateway.pages.story.lines import Line, Stamp, device_at, room_named
from gateway.picture.plain import plain
from gateway.picture.views import RoomView
from shared.words.internal_alerts import Happening
from shared.words.languages import later

AWAY, BACK = "room:away", "room:back"
_PICTURES = {
    "device:opened": "door-open",
    "device:closed": "door",
    "device:motion": "motion",
    "device:pressed": "bell",
    AWAY: "question",
    BACK: "house",
}
_PRESSED = {"double": later("{name} pressed twice"), "long": later("{name} held"), "": later("{name} pressed")}


def line(one: Happening, rooms: Iterable[RoomView]) -> Line:
    """One of them; several that were summed say how many they were and until when."""
    rooms = tuple(rooms)
    room, device = room_named(one.where, rooms), device_at(one.where, rooms)
    name = plain(device.name) if device is not None else plain(one.where.partition("/")[2], 32)
    where = room
    match one.what:
        case "device:opened":
            what = say("{name} opened", name=name)
        case "device:closed":
            what = say("{name} closed", name=name)
        case "device:motion":
            what, where = say("Motion in {room}", room=room), name
        case "device:pressed":
            what = say(_PRESSED.get(one.event or "", _PRESSED[""]), name=name)
        case _:
            told = say("{room} went away", room=room) if one.what == AWAY else say("{room} is back", room=room)
            what, where = told, ""
    return _line(one, what, where, (one,))


def gone_and_back(back: Happening, away: Happening, rooms: Iterable[RoomView]) -> Line:
    """One absence of a room, told when it was over."""
    seconds = max(1, round((back.at - away.at).total_seconds()))
    what = say("{room} was away for {length}", room=room_named(back.where, rooms), length=times.wait(seconds))
    return _line(back, what, "", (back, away))._replace(picture=_PICTURES[AWAY])


def several(one: Happening, until: str) -> str:
    """How many were summed in it, given when the last was; empty for a single one."""
    return say(", {count} times until {until}", count=one.times, until=until) if one.times > 1 else ""


def _line(one: Happening, what: str, where: str, told: tuple[Happening, ...]) -> Line:
    return Line(
        anchor=f"happened-{one.number}",
        picture=_PICTURES.get(one.what, "history"),
        at=one.at,
        what=what,
        where=where,
        who="",
        address="",
        outcome="",
        tone="",
        severity="",
        notes=(),
        stamps=tuple(
            Stamp(None, "", plain(each.source, 32), each.at, each.received_at, say(_SAID.get(each.what, _SAID[""])))
            for each in told
        ),
    )


_SAID = {AWAY: later("away"), BACK: later("back"), "": later("told")}
