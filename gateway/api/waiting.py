"""GET /api/v1/registry/waiting, and POST beneath it: what rooms would loosen, and the master user's word about it."""

import msgspec
from aiohttp import web

from gateway.desk import waiting
from gateway.door import sessions
from shared.door.web import json_response, read_json
from shared.words.internal_waiting import Decision, Digest


class DecisionRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the master user says, about exactly what was shown."""

    decision: Decision
    digest: Digest


async def show(request: web.Request) -> web.Response:
    """Each device of which something waits."""
    return json_response({"waiting": await waiting.everything(request)})


async def decide(request: web.Request) -> web.Response:
    """200 with what still waits."""
    sessions.signed_in(request)
    asked = await read_json(request, DecisionRequest)
    room, device = request.match_info["room"], request.match_info["device"]
    await waiting.decide(request, room, device, decision=asked.decision, digest=asked.digest)
    return json_response({"waiting": await waiting.everything(request)})
