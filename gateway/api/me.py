"""GET /api/v1/me: who am I, and what may I."""

from aiohttp import web

from gateway.door import sessions
from shared.door.web import json_response


async def show(request: web.Request) -> web.Response:
    """The user, a guest's grants, and when the session ends at the latest."""
    info = sessions.signed_in(request)
    return json_response({"user": info.user, "grants": info.grants, "expires_at": info.expires_at})
