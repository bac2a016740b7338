"""How the home is looked at, for API and pages alike: by everybody, as a master user says; by oneself, one's own.

What one may not see is answered like what does not exist, in an order and beside a move, too.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from aiohttp import web
from msgspec import UNSET

from gateway import keys
from gateway.door import sessions
from gateway.picture import guards, seen
from gateway.picture.views import DeviceView, RoomView
from shared.running.log import security
from shared.words import internal_looks
from shared.words.internal import SessionInfo
from shared.words.internal_looks import Arrangement, DeviceLook, LookChange, OwnDeviceLook, OwnRoomLook, RoomLook
from shared.words.problem import HomeError

MASTER_ONLY = "Only a master user names and arranges the home for everybody."


async def arrange_home(request: web.Request, look: Arrangement) -> tuple[str, ...]:
    """Another order of the rooms, for everybody; the order that then stands.

    Raises HomeError: sign-in-required, forbidden, not-found, invalid-value, no-proof, auth-unreachable.
    """
    _check(sessions.signed_in(request))
    await request.app[keys.REGISTRAR].change_look(internal_looks.HOME, _change(request, look))
    return seen.order_for(sessions.signed_in(request), request.app[keys.HOME], _now(request))


async def change_room(request: web.Request, room: str, look: RoomLook) -> RoomView:
    """What a room is called, drawn as, and whether it is hidden from everybody; where it stands, and its devices.

    Raises as `arrange_home`, and unknown-device.
    """
    find_room(request, room)
    _check(sessions.signed_in(request))
    await request.app[keys.REGISTRAR].change_look(internal_looks.ROOM, _change(request, look), room=room)
    return find_room(request, room)


async def change_device(request: web.Request, room: str, device: str, look: DeviceLook) -> DeviceView:
    """The same of a device. Raises as `change_room`; unknown-device where one may not see it."""
    find_device(request, room, device)
    _check(sessions.signed_in(request))
    change = _change(request, look)
    await request.app[keys.REGISTRAR].change_look(internal_looks.DEVICE, change, room=room, device=device)
    return find_device(request, room, device)


async def arrange_own(request: web.Request, look: Arrangement) -> tuple[str, ...]:
    """Another order of the rooms, for oneself; the order that then stands.

    Raises HomeError: sign-in-required, not-found, invalid-value, auth-unreachable.
    """
    info = sessions.signed_in(request)
    _check_rooms(request, info, look.order)
    info = await _change_own(request, info, internal_looks.OWN, look)
    return seen.order_for(info, request.app[keys.HOME], _now(request))


async def change_own_room(request: web.Request, room: str, look: OwnRoomLook) -> RoomView:
    """Whether a room is hidden from oneself, where it stands, and its devices; the room as one then sees it.

    Raises as `arrange_own`, and unknown-device.
    """
    info = sessions.signed_in(request)
    around = find_room(request, room)
    _check_rooms(request, info, (one for one in (look.before, look.after) if one is not None))
    if look.order is not UNSET:
        _check_devices(around, look.order)
    return find_room(request, room, await _change_own(request, info, internal_looks.OWN_ROOM, look, room=room))


async def change_own_device(request: web.Request, room: str, device: str, look: OwnDeviceLook) -> DeviceView:
    """Whether a device is a favourite, hidden from oneself, and where it stands; the device as one then sees it.

    Raises as `change_own_room`.
    """
    info = sessions.signed_in(request)
    find_device(request, room, device)
    _check_devices(find_room(request, room), (one for one in (look.before, look.after) if one is not None))
    info = await _change_own(request, info, internal_looks.OWN_DEVICE, look, room=room, device=device)
    return find_device(request, room, device, info)


def rooms(request: web.Request) -> tuple[RoomView, ...]:
    """Every room that one may know of, as one sees it."""
    return seen.rooms_for(sessions.signed_in(request), request.app[keys.HOME].rooms(), _now(request))


def rooms_of_home(request: web.Request) -> tuple[RoomView, ...]:
    """Every room as the home has it, for a master user. Raises sign-in-required or forbidden."""
    _check(sessions.signed_in(request))
    return request.app[keys.HOME].rooms()


def room_of_home(request: web.Request, room: str) -> RoomView:
    """A room as the home has it, for a master user. Raises sign-in-required, not-found or forbidden."""
    found, _ = request.app[keys.HOME].room(room), find_room(request, room)
    _check(sessions.signed_in(request))
    if found is None:
        raise HomeError("not-found", "There is no such room.")
    return found


def find_room(request: web.Request, room: str, info: SessionInfo | None = None) -> RoomView:
    """A room as one sees it. Raises not-found."""
    info = info or sessions.signed_in(request)
    found = request.app[keys.HOME].room(room)
    visible = seen.rooms_for(info, (found,), _now(request)) if found is not None else ()
    if not visible:
        raise HomeError("not-found", "There is no such room.")
    return visible[0]


def find_device(request: web.Request, room: str, device: str, info: SessionInfo | None = None) -> DeviceView:
    """A device as one sees it. Raises unknown-device."""
    info = info or sessions.signed_in(request)
    view = request.app[keys.HOME].view(room, device)
    found = seen.device_for(info, view, _now(request)) if view is not None else None
    if found is None:
        raise HomeError("unknown-device")
    return found


async def _change_own(request: web.Request, info: SessionInfo, path: str, look: Any, **where: str) -> SessionInfo:
    """Have it changed; here at once, without waiting for the broker's word. Who asks, as they then look at the home."""
    await request.app[keys.AUTH].change_look(path, _change(request, look), **where)
    request.app[sessions.SESSIONS].outdate((info.user.id,))
    request.app[keys.HUB].begin_anew((info.user.id,))
    return await sessions.signed_in_afresh(request)


def _change(request: web.Request, look: Any) -> LookChange[Any]:
    return LookChange(token=sessions.token_of(request), look=look, address=request.remote or "")


def _check_rooms(request: web.Request, info: SessionInfo, ids: Iterable[str]) -> None:
    if not set(ids) <= set(seen.order_for(info, request.app[keys.HOME], _now(request))):
        raise HomeError("not-found", "There is no such room.")


def _check_devices(room: RoomView, ids: Iterable[str]) -> None:
    if not set(ids) <= {device.id for device in room.devices}:
        raise HomeError("unknown-device")


def _check(info: SessionInfo) -> None:
    if not guards.may_arrange(info):
        security("forbidden", user=info.user.id, about="looks")
        raise HomeError("forbidden", MASTER_ONLY)


def _now(request: web.Request) -> datetime:
    return guards.local_now(request.app[keys.CONFIG].zone)
