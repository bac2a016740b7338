"""GET and POST /api/v1/tokens, and DELETE /api/v1/tokens/{id}: API tokens of whoever is signed in."""

from typing import Any

import msgspec
from aiohttp import web

from gateway.desk import tokens
from gateway.door import sessions
from shared.door.web import json_response, read_json
from shared.words.internal import Password
from shared.words.internal_factors import OwnCode
from shared.words.internal_tokens import TokenName
from shared.words.messages import Moment
from shared.words.scopes import Scope


class MakeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password that one has, and a code where there is a strong factor; what the token is called, what it may, and
    when it ends: within a year.
    """

    current: Password
    code: OwnCode = ""
    name: TokenName
    scope: Scope
    expires_at: Moment


async def show(request: web.Request) -> web.Response:
    """{tokens: […]}, newest first; none with its secret."""
    return json_response({"tokens": await tokens.mine(request)})


async def make(request: web.Request) -> web.Response:
    """201 {token, id, name, …}: the one answer in which the token stands."""
    sessions.signed_in(request)
    asked = await read_json(request, MakeRequest)
    made = await tokens.make(
        request,
        current=asked.current,
        code=asked.code,
        name=asked.name,
        scope=asked.scope,
        expires_at=asked.expires_at,
    )
    told: dict[str, Any] = {"token": made.token, **msgspec.structs.asdict(made.row)}
    return json_response(told, status=201)


async def revoke(request: web.Request) -> web.Response:
    """204; whatever runs by it ends at once."""
    await tokens.revoke(request, request.match_info["id"])
    return web.Response(status=204)
