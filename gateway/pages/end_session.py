"""POST /account/sessions/end and /account/sessions/end-others: sign out elsewhere (ASVS 5.0 7.4.3, 7.5.2)."""

from aiohttp import web

from gateway.desk import session_list
from gateway.door import sessions
from gateway.pages import flash
from gateway.pages.acts import Said
from gateway.pages.forms import read_form
from gateway.pages.speaking import say, say_many


async def end_session(request: web.Request) -> web.StreamResponse:
    """End one of the viewer's sessions; ending this one is signing out."""
    info = sessions.signed_in_owing(request)
    session_id = (await read_form(request)).text("session")
    await session_list.end(request, session_id, info.user.id)
    if session_id == info.id:
        raise web.HTTPSeeOther("/login")
    await flash.put(request, Said("good", say("Signed out there"), say("That browser no longer opens your home.")))
    raise web.HTTPSeeOther("/account")


async def end_other_sessions(request: web.Request) -> web.StreamResponse:
    """End all of the viewer's sessions but this one."""
    info = sessions.signed_in_owing(request)
    count = await session_list.end_all(request, info.user.id)
    await flash.put(request, Said("good", say("Signed out everywhere else"), ended(count)))
    raise web.HTTPSeeOther("/account")


def ended(count: int) -> str:
    """How many, in words."""
    return say_many("{count} session ended.", "{count} sessions ended.", count) if count else say("There were none.")
