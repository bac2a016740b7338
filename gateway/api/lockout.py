"""PUT /api/v1/devices/{room}/{device}/lockout: have a device obey safe actions only, or everything again."""

import msgspec
from aiohttp import web

from gateway.desk import asking, lockouts
from gateway.door import sessions
from shared.door.web import json_response, read_json
from shared.words.problem import HomeError


class LockoutRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the master user wants."""

    locked_out: bool


async def put(request: web.Request) -> web.Response:
    """200 with the device as it then stands, however often it is asked."""
    sessions.signed_in_owing(request)
    try:
        asked = await read_json(request, LockoutRequest)
    except HomeError:
        asking.count(request)
        raise
    room, device = request.match_info["room"], request.match_info["device"]
    return json_response(await lockouts.change(request, room, device, locked_out=asked.locked_out))
