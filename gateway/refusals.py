"""Writes down who was refused: what is not permitted, and what other sites made a browser send (ASVS 5.0 16.3.2)."""

from typing import Final

from aiohttp import web

from shared.log import security
from shared.problem import HomeError
from shared.web import USER, Handler

_EVENTS: Final = {"forbidden": "forbidden", "csrf": "csrf_refused"}


@web.middleware
async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Inside whatever answers problems, so that it hears of each."""
    try:
        return await handler(request)
    except HomeError as error:
        if (event := _EVENTS.get(error.slug)) is not None:
            security(event, user=request.get(USER, "-"), method=request.method, path=request.path)
        raise
