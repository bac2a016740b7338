"""A device's limits in words, pure: what it will not do, and what it does by itself.

They come from its room's description: every word that is not ours is cleaned and cut, and what makes no sense is left.
"""

from collections.abc import Iterable, Iterator

from gateway.pages import speaking, times
from gateway.pages.speaking import say
from gateway.picture.plain import plain
from gateway.picture.views import DeviceView, RoomView
from shared.words.languages import later
from shared.words.names import Kind

_WORD = 24
_PARTNERS = 4
_MOST_MS = 10**12
_BOOT = {
    "off": later("off when its room starts"),
    "on": later("on when its room starts"),
    "restore": later("as it was when its room starts"),
    "locked": later("locked when its room starts"),
    "unlocked": later("unlocked when its room starts"),
}
_LINK_LOSS = {
    "hold": (later("stays as it is without the hub"),) * 2,
    "off": (later("goes off without the hub"), later("goes off after {span} without the hub")),
    "on": (later("goes on without the hub"), later("goes on after {span} without the hub")),
    "locked": (later("locks without the hub"), later("locks after {span} without the hub")),
    "unlocked": (later("unlocks without the hub"), later("unlocks after {span} without the hub")),
}
"""At once, and after a while."""
_AT_REST = frozenset({Kind.COVER, Kind.PULSE})
"""What rests when its room starts, whatever the room's file says."""


def sentence(device: DeviceView, room: RoomView) -> str:
    """All of them in one line, "At most 10 min on · rests 3 min after off"; empty where there are none.

    Of the others in its group those are named that `room` has, which is what the viewer may see.
    """
    text = " · ".join([*_limits(device), *_together(device, room), *_by_itself(device, room)])
    return text[:1].upper() + text[1:]


def _limits(device: DeviceView) -> Iterator[str]:
    if span := times.span(device.max_on):
        yield say("at most {span} on", span=span)
    if span := times.span(device.min_off):
        yield say("rests {span} after off", span=span)
    if span := times.span(device.min_interval):
        yield say("at most once in {span}", span=span)
    if device.pulse_ms is not None and (span := times.span(min(device.pulse_ms, _MOST_MS) / 1000)):
        yield say("pressed for {span}", span=span)
    if span := times.span(device.travel_time):
        presses = device.kind == Kind.PULSE
        told = later("takes no other press for {span}") if presses else later("takes {span} from end to end")
        yield say(told, span=span)
    if device.minimum is not None and device.maximum is not None and device.kind not in (Kind.DIMMER, Kind.COVER):
        least, most = (speaking.now().number(float(f"{number:.6g}")) for number in (device.minimum, device.maximum))
        told = say("from {least} to {most} {unit}", least=least, most=most, unit=plain(device.unit or "", _WORD))
        yield told.rstrip()


def _together(device: DeviceView, room: RoomView) -> Iterator[str]:
    if device.interlock is None:
        return
    others = [d.name for d in room.devices if d.interlock == device.interlock and d.id != device.id]
    named = _named(others, say("others of {group}", group=plain(device.interlock, _WORD)))
    if span := times.span(device.dead_time):
        yield say("never together with {others}, {span} apart", others=named, span=span)
    else:
        yield say("never together with {others}", others=named)


def _by_itself(device: DeviceView, room: RoomView) -> Iterator[str]:
    if span := times.span(device.relock_after):
        yield say("locks itself after {span}", span=span)
    if device.contact is not None:
        names = [d.name for d in room.devices if d.id == device.contact]
        yield say("watched by {contact}", contact=_named(names, say("a contact")))
    if device.boot in _BOOT and device.kind not in _AT_REST:
        # a lock is locked then, whatever its file says
        yield say(_BOOT["locked" if device.kind == Kind.LOCK else device.boot])
    if device.on_link_loss in _LINK_LOSS:
        span = times.span(device.link_loss_after)
        at_once, later_on = _LINK_LOSS[device.on_link_loss]
        yield say(later_on, span=span) if span else say(at_once)


def _named(names: Iterable[str], nobody: str) -> str:
    """A few names in a row; `nobody` where none may be named."""
    names = [plain(name) for name in names]
    if not names:
        return nobody
    told = ", ".join(names[:_PARTNERS])
    return say("{names} and others", names=told) if len(names) > _PARTNERS else told
