"""GET and PUT /api/v1/lockdown, and POST /api/v1/lockdown/code: whether the home is locked down, and changing that."""

from typing import Annotated

import msgspec
from aiohttp import web

from gateway import keys
from gateway.desk import lockdown
from gateway.door import sessions
from gateway.picture.views import lockdown_view
from shared.door.web import json_response, read_json


class LockdownRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted. Beginning needs the password or the code, ending both."""

    active: bool
    code: Annotated[str, msgspec.Meta(max_length=32)] = ""
    password: Annotated[str, msgspec.Meta(max_length=1024)] = ""


async def show(request: web.Request) -> web.Response:
    """{active, since?}."""
    sessions.signed_in_owing(request)
    return json_response(lockdown_view(request.app[keys.HOME].lockdown))


async def ask_code(request: web.Request) -> web.Response:
    """202: a code for what can be done next, beginning or ending, is on its way."""
    await lockdown.ask_code(request)
    return json_response({"status": "A code is on its way."}, status=202)


async def put(request: web.Request) -> web.Response:
    """200 with what now stands. After a beginning nobody is signed in any more."""
    sessions.signed_in_owing(request)
    asked = await read_json(request, LockdownRequest)
    stands = await lockdown.change(request, active=asked.active, code=asked.code, password=asked.password)
    return json_response(lockdown_view(stands))
