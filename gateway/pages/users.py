"""GET /users and POST /users/end-sessions: the master user's list of people (ASVS 5.0 7.4.5)."""

from aiohttp import web

from gateway import keys
from gateway.desk import invitations, session_list
from gateway.door import sessions
from gateway.pages import flash, render
from gateway.pages.acts import Said
from gateway.pages.end_session import ended
from gateway.pages.forms import read_form
from gateway.pages.guests import words
from gateway.pages.speaking import say
from gateway.picture import guards
from shared.words.internal import SessionInfo
from shared.words.problem import HomeError


async def show_users(request: web.Request) -> web.StreamResponse:
    """List the users with their roles, grants and last sign-in."""
    _master(request)
    rooms = request.app[keys.HOME].rooms()
    rows = (await request.app[keys.AUTH].users()).users
    now = guards.local_now(request.app[keys.CONFIG].zone)
    listed = [(row, [words.sentence(grant, rooms, now) for grant in row.grants]) for row in rows]
    return await render.page(request, "users.html", users=listed, invitations=await invitations.of_home(request))


async def end_users_sessions(request: web.Request) -> web.StreamResponse:
    """Sign another user out everywhere. Form field: `user`."""
    info = _master(request)
    user_id = (await read_form(request)).text("user")
    found = next((row.user for row in (await request.app[keys.AUTH].users()).users if row.user.id == user_id), None)
    if found is None:
        raise HomeError("not-found", "There is no such user.")
    if user_id == info.user.id:
        raise web.HTTPSeeOther("/account")
    count = await session_list.end_all(request, user_id)
    await flash.put(request, Said("good", say("{name} is signed out everywhere", name=found.name), ended(count)))
    raise web.HTTPSeeOther("/users")


def _master(request: web.Request) -> SessionInfo:
    """Who asks. Raises forbidden for anyone but the master user."""
    info = sessions.signed_in(request)
    if not guards.may_manage_users(info):
        raise HomeError("forbidden", "This page is the master user's.")
    return info
