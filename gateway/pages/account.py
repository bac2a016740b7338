"""GET /account: who am I, what may I do, and where am I signed in (ASVS 5.0 7.5.2)."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from aiohttp import web

from gateway import keys
from gateway.desk import own_factors, session_list, tokens
from gateway.door import sessions
from gateway.pages import browsers, render
from gateway.pages import tokens as pages_of_tokens
from gateway.pages.guests import show
from gateway.picture import guards
from shared.words.problem import HomeError

T = TypeVar("T")


async def show_account(request: web.Request) -> web.StreamResponse:
    """Show the viewer's own account."""
    info = sessions.signed_in(request)
    rows, made, held = await asyncio.gather(
        _if_there(session_list.of(request, info.user.id)),
        _if_there(tokens.mine(request)),
        _if_there(own_factors.of(request)),
    )
    rooms, now = request.app[keys.HOME].rooms(), guards.local_now(request.app[keys.CONFIG].zone)
    return await render.page(
        request,
        "account.html",
        granted=list(show.at_a_glance(info.grants, rooms, now)),
        sessions=rows,
        held=held,
        session_id=info.id,
        device_of=browsers.named,
        tokens=made,
        may=lambda row: pages_of_tokens.summary(row, rooms),
    )


async def _if_there(asked: Awaitable[T]) -> T | None:
    """What the auth service answers; None where it is away: the page says so in that place."""
    try:
        return await asked
    except HomeError as error:
        if error.slug != "auth-unreachable":
            raise
        return None
