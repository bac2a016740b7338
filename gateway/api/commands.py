"""POST /api/v1/devices/{room}/{device}/commands: have a device do something, and answer with its room's word."""

from aiohttp import web

from gateway.acting.verdicts import Executed
from gateway.desk import asking
from gateway.desk.asking import CommandRequest
from gateway.door import sessions
from shared.door.web import json_response, read_json
from shared.words.problem import HomeError


async def post(request: web.Request) -> web.Response:
    """200 once it was executed, 202 while it waits for a second person; else a problem with id, outcome and reason."""
    sessions.signed_in_for_safety(request)
    try:
        asked = await read_json(request, CommandRequest)
    except HomeError:
        asking.count(request)
        raise
    room, device = request.match_info["room"], request.match_info["device"]
    answer = await asking.ask(request, room, device, asked)
    return json_response(answer, status=200 if isinstance(answer, Executed) else 202)
