"""GET /api/v1/devices and /api/v1/devices/{room}/{device}: what there is, and how it is now."""

from aiohttp import web

from gateway import keys
from gateway.door import sessions
from gateway.picture import guards, seen
from shared.door.web import json_response
from shared.words.problem import HomeError


async def show_all(request: web.Request) -> web.Response:
    """Every device that the viewer may see; `state` is null unless its room is online."""
    info = sessions.signed_in(request)
    now = guards.local_now(request.app[keys.CONFIG].zone)
    rooms = seen.rooms_for(info, request.app[keys.HOME].rooms(), now)
    return json_response({"devices": [device for room in rooms for device in room.devices]})


async def show(request: web.Request) -> web.Response:
    """One of them; what one may not see is 404."""
    info = sessions.signed_in(request)
    room, device = request.match_info["room"], request.match_info["device"]
    view = request.app[keys.HOME].view(room, device)
    now = guards.local_now(request.app[keys.CONFIG].zone)
    found = seen.device_for(info, view, now) if view is not None else None
    if found is None:
        raise HomeError("unknown-device")
    return json_response(found)
