"""When a request arrived: a wish is no younger than that, whatever holds it up on its way through us.

A head or a body that trickles in, a request before it on its connection, a session that the auth service has to vouch
for: a command is issued before all of it.
"""

import time

from aiohttp import web

from shared.door.arrival import ARRIVED
from shared.door.web import Handler


@web.middleware
async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost, for whoever serves without our entrance: it is here at least since now."""
    if ARRIVED not in request:
        request[ARRIVED] = time.time()
    return await handler(request)


def of(request: web.Request) -> float:
    """When the request's first byte came in, in seconds since 1970."""
    return request[ARRIVED]
