"""GET /rooms/{room}: one room. A room that the viewer may not see is answered like one that is not there."""

from aiohttp import web

from gateway import keys
from gateway.door import sessions
from gateway.pages import cards, render
from gateway.picture import guards, seen
from shared.words.problem import HomeError


async def show_room(request: web.Request) -> web.StreamResponse:
    """Show one room."""
    info = sessions.signed_in(request)
    room = request.app[keys.HOME].room(request.match_info["room"])
    now = guards.local_now(request.app[keys.CONFIG].zone)
    if room is None or not guards.may_see_room(info, room.id, now):
        raise HomeError("not-found")
    visible = seen.rooms_for(info, (room,), now)
    if not visible:
        raise HomeError("not-found")
    return await render.page(
        request,
        "room.html",
        shown=cards.of_room(visible[0]),
        back="room",
        locks=guards.may_lock_out(info),
        arranges=guards.may_arrange(info),
        packed=True,
    )
