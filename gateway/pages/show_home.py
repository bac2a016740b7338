"""GET /: the home: all rooms that the viewer may see with their devices, or, past MOST_SHOWN devices, in sums."""

import asyncio
from typing import Any

from aiohttp import web

from gateway import keys
from gateway.door import sessions
from gateway.pages import cards, lately, mail_notice, overview, render
from gateway.pages.overview import MOST_SHOWN
from gateway.picture import guards, seen
from gateway.picture.seen import sum_for
from gateway.picture.sums import RoomSum, devices_in
from gateway.streams.turns import in_turns
from shared.words.internal import SessionInfo


async def show_home(request: web.Request) -> web.StreamResponse:
    """Show the home."""
    info = sessions.signed_in(request)
    sums = await _sums(request, info)
    home, now = request.app[keys.HOME], guards.local_now(request.app[keys.CONFIG].zone)
    views = [room for one in sums if (room := home.room(one.room)) is not None]
    rooms = seen.rooms_for(info, views, now)
    mail, last = await asyncio.gather(mail_notice.of(request, info), lately.of(request, info, views, now))
    common: dict[str, Any] = {
        "headline": overview.headline(sums),
        "back": "home",
        "mail": mail,
        "lately": last,
        "waiting": home.waiting if guards.may_look_after(info) else 0,
        "order": " ".join(room.id for room in rooms),
        "favourites": cards.favourites(rooms),
        "packed": True,
    }
    if devices_in(sums) > MOST_SHOWN:
        hidden = {room.id for room in rooms if room.hidden}
        tiles = [overview.tile(one, hidden=one.room in hidden) async for one in in_turns(sums)]
        return await render.page(request, "overview.html", tiles=tiles, **common)
    shown = [cards.of_room(room, apart=True) async for room in in_turns(rooms)]
    return await render.page(request, "home.html", rooms=shown, **common)


async def _sums(request: web.Request, info: SessionInfo) -> list[RoomSum]:
    """The rooms that the viewer may know of, each of the devices that they may see."""
    home, now = request.app[keys.HOME], guards.local_now(request.app[keys.CONFIG].zone)
    return [
        one
        async for room in in_turns(seen.order_for(info, home, now))
        if (one := sum_for(info, home, room, now)) is not None
    ]
