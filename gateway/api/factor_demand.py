"""GET and PUT /api/v1/factors/demand: whether everyone has to have a strong factor."""

import msgspec
from aiohttp import web

from gateway.desk import factor_demand
from gateway.door import sessions
from shared.door.web import json_response, read_json


class DemandRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the master user wants."""

    demanded: bool


async def show(request: web.Request) -> web.Response:
    """{demanded, without}: whether, and who has none (ids)."""
    return json_response(await factor_demand.state(request))


async def put(request: web.Request) -> web.Response:
    """200, the same as it then stands."""
    sessions.signed_in(request)
    asked = await read_json(request, DemandRequest)
    return json_response(await factor_demand.change(request, demanded=asked.demanded))
