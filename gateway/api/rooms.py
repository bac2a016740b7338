"""GET /api/v1/rooms: the rooms that the viewer may know of, with their devices."""

from aiohttp import web

from gateway import keys
from gateway.door import sessions
from gateway.picture import guards, seen
from shared.door.web import json_response


async def show(request: web.Request) -> web.Response:
    """Each room with its status: online, offline or unknown."""
    info = sessions.signed_in(request)
    now = guards.local_now(request.app[keys.CONFIG].zone)
    return json_response({"rooms": seen.rooms_for(info, request.app[keys.HOME].rooms(), now)})
