"""When the bell was last pressed and where something last moved, of what the viewer may see: under the headline."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec
from aiohttp import web

from gateway import keys
from gateway.pages import times
from gateway.pages.speaking import say
from gateway.picture import guards
from gateway.picture.plain import plain
from gateway.picture.views import DeviceView, RoomView
from shared.words.internal import SessionInfo
from shared.words.internal_alerts import MOST_PLACES, Happening
from shared.words.names import Kind
from shared.words.problem import HomeError

_PATIENCE_SECONDS: Final = 0.3
"""The page waits no longer for it: it is asked for beside what the page is about."""


class Last(msgspec.Struct, frozen=True):
    """The last of one kind: `what` is "pressed" or "moved", `name` the device's or the room's, `text` what is read."""

    what: str
    name: str
    at: datetime
    text: str


async def of(request: web.Request, info: SessionInfo, rooms: Iterable[RoomView], now: datetime) -> list[Last]:
    """What is told, empty where there is nothing to tell or the alert service does not say so at once."""
    visible = [device for room in guards.visible(info, rooms, now) for device in room.devices]
    devices = {f"{one.room}/{one.id}": one for one in visible if one.kind in (Kind.BUTTON, Kind.MOTION)}
    if not devices:
        return []
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            found = await request.app[keys.ALERTS].last(list(devices)[:MOST_PLACES])
    except (HomeError, TimeoutError):
        return []
    return told(found, devices, {room.id: room.name for room in rooms}, now)


def told(
    found: Iterable[Happening], devices: dict[str, DeviceView], rooms: dict[str, str], now: datetime
) -> list[Last]:
    """The last press and the last movement among these happenings, by the names of the pages."""
    found = [one for one in found if one.where in devices]
    presses = [one for one in found if one.what == "device:pressed"]
    movements = [one for one in found if one.what == "device:motion"]
    parts = []
    if presses:
        at, device = max(((one.until, devices[one.where]) for one in presses), key=lambda one: one[0])
        name = plain(device.name)
        parts.append(Last("pressed", name, at, say("{name} {when}", name=name, when=times.clock(at, now))))
    if movements:
        at, device = max(((one.until, devices[one.where]) for one in movements), key=lambda one: one[0])
        name = plain(rooms.get(device.room, device.room))
        parts.append(Last("moved", name, at, say("last movement: {name} {when}", name=name, when=times.clock(at, now))))
    return parts
