"""The one layer around every handler: what is asked of a request, in which order, and what is noted afterwards.

Each look is a function of a room of its own. They stand in one layer because a layer costs more than most of the looks.
"""

from aiohttp import web

from gateway.door import bearer, closed, cookie, csrf, limits, problem_pages, refusals, routes, sessions
from shared.door.web import Handler


@web.middleware
async def enter(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Inside whatever answers problems, which answers those that are not for people, and what fails here."""
    app = request.app
    is_counted = False
    try:
        limit = routes.limit_of(request, app)
        held = cookie.at_hand(request, app)
        is_change = request.method not in csrf.SAFE_METHODS
        closed.check_request(request, is_change=is_change)
        if (limit is not None or is_change) and (brought := bearer.of(request)) is not None:
            await bearer.admit(request, app, brought)
        else:
            if held is None and (limit is not None or is_change):
                held = await cookie.brought(request)
            if limit is not None and held is not None and (token := held.get(cookie.TOKEN)) is not None:
                await sessions.know_viewer(request, app, token)
            if is_change:
                await csrf.protect(request, app, held or {})
        is_counted = True
        if limit is not None:
            limits.count(request, limit)
        try:
            response = await handler(request)
        except web.HTTPException as moved:
            await cookie.kept(request, moved)
            raise
        return await cookie.kept(request, response)
    except Exception as error:
        refused_for = refusals.note(request, error, is_counted=is_counted)
        page = await problem_pages.page_of(request, refused_for)
        if page is None:
            if refused_for is error:
                raise
            raise refused_for from error
        return page
