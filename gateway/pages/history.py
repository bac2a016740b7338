"""GET /history: who did what, where, when, from where and how it ended, newest first; `after` is the next page's."""

from aiohttp import web
from yarl import URL

from gateway import guards, keys, sessions
from gateway.pages import happenings, mail_notice, render
from shared.internal import AuditPage
from shared.problem import HomeError

PAGE = 50


async def show_history(request: web.Request) -> web.StreamResponse:
    """Show a page of the history that the viewer may read. Without the alert service the page says so."""
    info = sessions.signed_in(request)
    home, now = request.app[keys.HOME], guards.local_now(request.app[keys.CONFIG].zone)
    after = request.query.get("after") or None
    found: AuditPage | None = None
    try:
        found = await request.app[keys.ALERTS].history(
            guards.scope(info, home.room_ids(), now), limit=PAGE, after=after
        )
    except HomeError as error:
        if error.slug != "alerts-unreachable":
            raise
    events = found.events if found is not None else ()
    names = guards.visible(info, home.rooms(), now)
    older = URL("/history").with_query(after=found.next) if found is not None and found.next is not None else None
    return await render.page(
        request,
        "history.html",
        status=200 if found is not None else 503,
        away=found is None,
        mail=await mail_notice.of(request, info),
        days=happenings.days(events, names, now),
        older=str(older) if older is not None else None,
        first=after is None,
    )
