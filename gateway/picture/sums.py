"""A room in sums, pure: how many of its devices look like what, so that a large home is seen at a glance.

A look that a single device has names it, so that "Front door is open" can be said without the room's devices.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from gateway.picture.looks import look_of
from gateway.picture.views import RoomView, Status
from shared.words.messages import State


class Count(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """So many devices; `device` is the name of the only one."""

    count: int
    device: str | None = None


class RoomSum(msgspec.Struct, frozen=True, kw_only=True):
    """A room with how many devices it has, and how they look, by look; `barred` are those that are locked out.

    Of a room that is not online nothing is known, and nothing is counted but what is barred.
    """

    room: str
    name: str
    status: Status
    devices: int
    looks: dict[str, Count]
    barred: Count | None


class Seen(NamedTuple):
    """What is looked at of one device."""

    kind: str
    name: str
    state: State | None
    locked_out: bool


def sum_of(room: RoomView) -> RoomSum:
    """One room, of the devices in `room`."""
    seen = (Seen(device.kind, device.name, device.state, device.locked_out) for device in room.devices)
    return sum_up(room.id, room.name, room.status, seen)


def sum_up(room: str, name: str, status: Status, devices: Iterable[Seen]) -> RoomSum:
    """The same of what one would look at, where nobody has made views of it yet."""
    devices = tuple(devices)
    by_look: dict[str, list[str]] = {}
    if status == "online":
        for device in devices:
            by_look.setdefault(look_of(device.kind, status, device.state), []).append(device.name)
    barred = [device.name for device in devices if device.locked_out]
    return RoomSum(
        room=room,
        name=name,
        status=status,
        devices=len(devices),
        looks={look: _count(names) for look, names in by_look.items()},
        barred=_count(barred) if barred else None,
    )


def gone(room: str) -> RoomSum:
    """What is said of a room that is not there, or not for whoever looks."""
    return RoomSum(room=room, name=room, status="unknown", devices=0, looks={}, barred=None)


def devices_in(sums: Iterable[RoomSum]) -> int:
    """How many devices there are in all of them."""
    return sum(one.devices for one in sums)


def _count(names: list[str]) -> Count:
    return Count(count=len(names), device=names[0] if len(names) == 1 else None)
