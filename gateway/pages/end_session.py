"""POST /account/sessions/end and /account/sessions/end-others: sign out elsewhere (ASVS 5.0 7.4.3, 7.5.2)."""

from aiohttp import web

from gateway import keys
from gateway.desk import sign_in
from gateway.door import sessions
from gateway.pages import flash
from gateway.pages.acts import Said
from gateway.pages.forms import read_form
from shared.words.internal import SessionInfo


async def end_session(request: web.Request) -> web.StreamResponse:
    """End one of the viewer's sessions; ending this one is signing out."""
    info = sessions.signed_in(request)
    session_id = (await read_form(request)).text("session")
    if session_id == info.id:
        await sign_in.sign_out(request)
        raise web.HTTPSeeOther("/login")
    await _end(request, info, session_id)
    await flash.put(request, Said("good", "Signed out there", "That browser no longer opens your home."))
    raise web.HTTPSeeOther("/account")


async def end_other_sessions(request: web.Request) -> web.StreamResponse:
    """End all of the viewer's sessions but this one."""
    info = sessions.signed_in(request)
    others = [row.id for row in (await request.app[keys.AUTH].sessions(info.user.id)).sessions if row.id != info.id]
    for session_id in others:
        await _end(request, info, session_id)
    count = f"{len(others)} session{'s' if len(others) != 1 else ''} ended." if others else "There were none."
    await flash.put(request, Said("good", "Signed out everywhere else", count))
    raise web.HTTPSeeOther("/account")


async def _end(request: web.Request, info: SessionInfo, session_id: str) -> None:
    """At the auth service, which knows whose it is, and here at once."""
    await request.app[keys.AUTH].end_session(
        session_id, user=info.user.id, by=info.user.id, address=request.remote or ""
    )
    sign_in.end_here(request, (session_id,))
