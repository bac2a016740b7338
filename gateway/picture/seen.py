"""The home as one viewer sees it, pure: what they may know of, in their order, with what they favour and hide."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

import msgspec

from gateway.picture import guards
from gateway.picture.guards import Viewer
from gateway.picture.home import Home
from gateway.picture.sums import RoomSum, sum_of
from gateway.picture.views import DeviceView, RoomView
from shared.words.arranging import arranged
from shared.words.looks import NOTHING, OwnLooks, OwnRoom
from shared.words.names import ACTIONS


class Onlooker(Viewer, Protocol):
    """Whoever asks, with how they look at the home themselves; of a program that is nothing."""

    @property
    def own(self) -> OwnLooks:
        """What they say of it."""


def rooms_for(viewer: Onlooker, rooms: Iterable[RoomView], now: datetime) -> tuple[RoomView, ...]:
    """The rooms that the viewer may know of, as they look at them: what one says oneself is over the home's word."""
    visible = guards.visible(viewer, rooms, now)
    if viewer.own == NOTHING:
        return visible
    said = {one.id: one for one in viewer.own.rooms}
    seen = {room.id: _as_seen(room, said[room.id]) if room.id in said else room for room in visible}
    return tuple(seen[room] for room in arranged(tuple(seen), viewer.own.order))


def order_for(viewer: Onlooker, home: Home, now: datetime) -> tuple[str, ...]:
    """The ids of the rooms that the viewer may know of, in their order."""
    return arranged([room for room in home.names() if guards.may_see_room(viewer, room, now)], viewer.own.order)


def device_for(viewer: Onlooker, device: DeviceView, now: datetime) -> DeviceView | None:
    """One device likewise; None where they may not know of it."""
    seen = guards.as_used(viewer, device, now)
    return None if seen is None else _device(seen, viewer.own.of(device.room))


def sum_for(viewer: Viewer, home: Home, room: str, now: datetime) -> RoomSum | None:
    """The room in sums, of those of its devices that the viewer may see; None for one that they may not know of."""
    if guards.sees_all(viewer):
        return home.sum(room)
    found = home.room(room) if guards.may_see_room(viewer, room, now) else None
    visible = guards.visible(viewer, (found,), now) if found is not None else ()
    return sum_of(visible[0]) if visible else None


def _as_seen(room: RoomView, said: OwnRoom) -> RoomView:
    devices = {device.id: _device(device, said) for device in room.devices}
    order = sorted(arranged(tuple(devices), said.order), key=lambda one: devices[one].kind not in ACTIONS)
    return msgspec.structs.replace(room, hidden=_hidden(room, said), devices=tuple(devices[one] for one in order))


def _hidden(room: RoomView, said: OwnRoom) -> bool:
    return room.hidden if said.hidden is None else said.hidden


def _device(device: DeviceView, said: OwnRoom) -> DeviceView:
    favourite = device.id in said.favourites
    hidden = device.id in said.hid or (device.hidden and not favourite and device.id not in said.shown)
    if (favourite, hidden) == (device.favourite, device.hidden):
        return device
    return msgspec.structs.replace(device, favourite=favourite, hidden=hidden)
