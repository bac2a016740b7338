"""GET /api/v1/csrf: the token that every change must carry; sets the cookie."""

from aiohttp import web

from gateway.door import cookie, csrf
from shared.door.web import json_response


async def show(request: web.Request) -> web.Response:
    """This browser's token. Its pre-login id is made along with it, for a code to be bound to."""
    await cookie.browser_of(request)
    return json_response({"csrf_token": await csrf.token(request)})
