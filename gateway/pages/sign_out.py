"""POST /logout: end this session, here and at the auth service."""

from aiohttp import web

from gateway.desk import sign_in
from gateway.pages import flash
from gateway.pages.acts import Said
from gateway.pages.speaking import say


async def leave(request: web.Request) -> web.StreamResponse:
    """Sign out."""
    await sign_in.sign_out(request)
    said = Said("good", say("You are signed out"), say("This browser no longer opens your home."))
    await flash.put(request, said)
    raise web.HTTPSeeOther("/login")
