"""When a request arrived: a wish is no younger than that, whatever holds it up on its way through us.

A body that trickles in, a session that the auth service has to vouch for: a command is issued before all of it.
"""

import time
from typing import Final

from aiohttp import web

from shared.web import Handler

_ARRIVED: Final = web.RequestKey("arrived", float)


@web.middleware
async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost: before the body is read and before anybody is asked who calls."""
    request[_ARRIVED] = time.time()
    return await handler(request)


def of(request: web.Request) -> float:
    """When the request arrived, in seconds since 1970."""
    return request[_ARRIVED]
