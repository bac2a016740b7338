"""A device's limits in words, pure: what it will not do, and what it does by itself.

They come from its room's description: every word that is not ours is cleaned and cut, and what makes no sense is left.
"""

from collections.abc import Iterable, Iterator

from gateway.pages import times
from gateway.picture.plain import plain
from gateway.picture.views import DeviceView, RoomView
from shared.words.names import Kind

_WORD = 24
_PARTNERS = 4
_MOST_MS = 10**12
_BOOT = {
    "off": "off when its room starts",
    "on": "on when its room starts",
    "restore": "as it was when its room starts",
    "locked": "locked when its room starts",
    "unlocked": "unlocked when its room starts",
}
_LINK_LOSS = {
    "hold": "stays as it is without the hub",
    "off": "goes off{after} without the hub",
    "on": "goes on{after} without the hub",
    "locked": "locks{after} without the hub",
    "unlocked": "unlocks{after} without the hub",
}


def sentence(device: DeviceView, room: RoomView) -> str:
    """All of them in one line, "At most 10 min on · rests 3 min after off"; empty where there are none.

    Of the others in its group those are named that `room` has, which is what the viewer may see.
    """
    text = " · ".join([*_limits(device), *_together(device, room), *_by_itself(device, room)])
    return text[:1].upper() + text[1:]


def _limits(device: DeviceView) -> Iterator[str]:
    if span := times.span(device.max_on):
        yield f"at most {span} on"
    if span := times.span(device.min_off):
        yield f"rests {span} after off"
    if span := times.span(device.min_interval):
        yield f"at most once in {span}"
    if device.pulse_ms is not None and (span := times.span(min(device.pulse_ms, _MOST_MS) / 1000)):
        yield f"pressed for {span}"
    if span := times.span(device.travel_time):
        yield f"takes no other press for {span}" if device.kind == Kind.PULSE else f"takes {span} from end to end"
    if device.minimum is not None and device.maximum is not None and device.kind not in (Kind.DIMMER, Kind.COVER):
        least, most = (f"{number:.6g}".replace("-", "−") for number in (device.minimum, device.maximum))
        yield f"from {least} to {most} {plain(device.unit or '', _WORD)}".rstrip()


def _together(device: DeviceView, room: RoomView) -> Iterator[str]:
    if device.interlock is None:
        return
    others = [d.name for d in room.devices if d.interlock == device.interlock and d.id != device.id]
    text = f"never together with {_named(others, f'others of {plain(device.interlock, _WORD)}')}"
    span = times.span(device.dead_time)
    yield f"{text}, {span} apart" if span else text


def _by_itself(device: DeviceView, room: RoomView) -> Iterator[str]:
    if span := times.span(device.relock_after):
        yield f"locks itself after {span}"
    if device.contact is not None:
        names = [d.name for d in room.devices if d.id == device.contact]
        yield f"watched by {_named(names, 'a contact')}"
    if device.boot in _BOOT:
        yield _BOOT[device.boot]
    if device.on_link_loss in _LINK_LOSS:
        span = times.span(device.link_loss_after)
        yield _LINK_LOSS[device.on_link_loss].format(after=f" after {span}" if span else "")


def _named(names: Iterable[str], nobody: str) -> str:
    """A few names in a row; `nobody` where none may be named."""
    names = [plain(name) for name in names]
    if not names:
        return nobody
    return ", ".join(names[:_PARTNERS]) + (" and others" if len(names) > _PARTNERS else "")
