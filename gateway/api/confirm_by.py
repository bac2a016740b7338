"""PUT /api/v1/devices/{room}/{device}/confirm-by: how a device is confirmed, by the master user's will."""

import msgspec
from aiohttp import web

from gateway.desk import asking, confirm_ways
from gateway.door import sessions
from shared.door.web import json_response, read_json
from shared.words.names import ConfirmBy
from shared.words.pending import DelayMinutes
from shared.words.problem import HomeError


class ConfirmByRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the master user wants, at least; where the room asks for more, that stands. `delay_minutes` belongs to
    appointments.
    """

    confirm_by: ConfirmBy
    delay_minutes: DelayMinutes | None = None


async def put(request: web.Request) -> web.Response:
    """200 with the device as it then stands, however often it is asked."""
    sessions.signed_in(request)
    try:
        asked = await read_json(request, ConfirmByRequest)
    except HomeError:
        asking.count(request)
        raise
    room, device = request.match_info["room"], request.match_info["device"]
    return json_response(await confirm_ways.change(request, room, device, asked.confirm_by, asked.delay_minutes))
