"""GET /account: who am I, what may I do, and where am I signed in (ASVS 5.0 7.5.2)."""

from aiohttp import web

from gateway import keys
from gateway.desk import own_factors, session_list, tokens
from gateway.door import sessions
from gateway.pages import browsers, render
from gateway.pages import tokens as pages_of_tokens
from gateway.pages.guests import show
from gateway.picture import guards
from shared.words.internal import SessionRow
from shared.words.internal_tokens import TokenRow
from shared.words.problem import HomeError


async def show_account(request: web.Request) -> web.StreamResponse:
    """Show the viewer's own account."""
    info = sessions.signed_in(request)
    rows: tuple[SessionRow, ...] | None
    made: tuple[TokenRow, ...] | None
    try:
        rows = await session_list.of(request, info.user.id)
    except HomeError as error:
        if error.slug != "auth-unreachable":
            raise
        rows = None
    try:
        made = await tokens.mine(request)
    except HomeError as error:
        if error.slug != "auth-unreachable":
            raise
        made = None
    try:
        held = await own_factors.of(request)
    except HomeError as error:
        if error.slug != "auth-unreachable":
            raise
        held = None
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
