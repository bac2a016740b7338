"""POST /logout: end this session, here and at the auth service."""

from aiohttp import web

from gateway.desk import sign_in
from gateway.pages import flash
from gateway.pages.acts import Said


async def leave(request: web.Request) -> web.StreamResponse:
    """Sign out."""
    await sign_in.sign_out(request)
    await flash.put(request, Said("good", "You are signed out", "This browser no longer opens your home."))
    raise web.HTTPSeeOther("/login")
