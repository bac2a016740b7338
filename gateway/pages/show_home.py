"""GET /: the home, all rooms that the viewer may see with their devices."""

from aiohttp import web

from gateway import keys
from gateway.door import sessions
from gateway.pages import cards, mail_notice, render, states
from gateway.picture import guards


async def show_home(request: web.Request) -> web.StreamResponse:
    """Show the home."""
    info = sessions.signed_in(request)
    now = guards.local_now(request.app[keys.CONFIG].zone)
    rooms = guards.visible(info, request.app[keys.HOME].rooms(), now)
    return await render.page(
        request,
        "home.html",
        rooms=cards.of_rooms(rooms),
        headline=states.headline(rooms),
        back="home",
        mail=await mail_notice.of(request, info),
    )
