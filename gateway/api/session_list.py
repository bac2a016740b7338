"""GET and DELETE /api/v1/sessions[/{id}]: where somebody is signed in, and signing out there."""

from typing import Any

import msgspec
from aiohttp import web

from gateway.desk import session_list
from gateway.door import sessions
from shared.door.web import json_response
from shared.words.internal import SessionRow
from shared.words.problem import HomeError


async def show(request: web.Request) -> web.Response:
    """{sessions: […]}, newest first; `this` is the one that asks. `?user=ID`: somebody else's, for the master user."""
    info = sessions.signed_in_owing(request)
    rows = await session_list.of(request, _whose(request))
    return json_response({"sessions": [_row(row, this=row.id == info.id) for row in rows]})


async def end(request: web.Request) -> web.Response:
    """204."""
    await session_list.end(request, request.match_info["id"], _whose(request))
    return web.Response(status=204)


async def end_others(request: web.Request) -> web.Response:
    """{ended: how many}: all but the one that asks."""
    return json_response({"ended": await session_list.end_all(request, _whose(request))})


def _row(row: SessionRow, *, this: bool) -> dict[str, Any]:
    return {**msgspec.structs.asdict(row), "this": this}


def _whose(request: web.Request) -> str:
    """Whose they are. Raises bad-request for any other parameter, or one that comes twice."""
    info = sessions.signed_in_owing(request)
    if len(request.query) > 1 or request.query.keys() - {"user"}:
        raise HomeError("bad-request", "The only parameter is user, once: whose sessions.")
    return request.query.get("user") or info.user.id
