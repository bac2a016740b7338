"""GET /api/v1/me: who am I, and what may I."""

from aiohttp import web

from gateway.door import sessions
from shared.door.web import json_response


async def show(request: web.Request) -> web.Response:
    """The user, a guest's grants, until when a strong factor that was shown counts, and when the session ends."""
    info = sessions.signed_in(request)
    told = {"user": info.user, "grants": info.grants, "expires_at": info.expires_at}
    return json_response(told if info.proved_until is None else told | {"proved_until": info.proved_until})
