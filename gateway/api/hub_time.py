"""GET /api/v1/time: what the hub's clock shows, for programs that name the moment of a wish and have no stream."""

from aiohttp import web

from gateway.door import sessions
from gateway.streams import hub_time
from shared.door.web import json_response


async def show(request: web.Request) -> web.Response:
    """`{"now": …}`, as a stream's heartbeat has it."""
    sessions.signed_in(request)
    return json_response(hub_time.told())
