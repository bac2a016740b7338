"""Problems for people: on a page's address a browser gets a page; everyone else gets the problem document."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from shared.door.answering import translate
from shared.door.web import has_begun
from shared.words.problem import HomeError

ProblemPage = Callable[[web.Request, HomeError], Awaitable[web.StreamResponse]]

RENDER_PROBLEM: Final[web.AppKey[ProblemPage]] = web.AppKey("render_problem")
"""How a problem looks as a page; set by the pages. Without it every problem is a JSON document."""
_FOR_PROGRAMS = ("/api/", "/healthz", "/readyz", "/static/")


async def page_of(request: web.Request, error: Exception) -> web.StreamResponse | None:
    """The page that tells of it; None where it is not for people, or no problem, and whoever is further out answers."""
    is_moved = isinstance(error, web.HTTPException) and error.status < 400
    if is_moved or has_begun(request) or not _wants_page(request):
        return None
    return await request.app[RENDER_PROBLEM](request, translate(error))


def _wants_page(request: web.Request) -> bool:
    return (
        RENDER_PROBLEM in request.app
        and not request.path.startswith(_FOR_PROGRAMS)
        and "text/html" in request.headers.get("Accept", "")
    )
