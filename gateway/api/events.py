"""GET /api/v1/events: what happens in the home, as it happens (server-sent events)."""

from aiohttp import web

from gateway import keys, sessions
from shared.problem import HomeError


async def stream(request: web.Request) -> web.StreamResponse:
    """Open until the browser, the session or the gateway ends. Events and their shapes: gateway/events.py."""
    info = sessions.signed_in(request)
    token = await sessions.token_of(request)
    if token is None:
        raise HomeError("sign-in-required")
    return await request.app[keys.HUB].stream(request, info, token)
