"""Problems for people: on a page's address a browser gets a page; everyone else gets the problem document."""

import asyncio
import logging

from aiohttp import web

from gateway import keys
from shared.problem import HomeError
from shared.web import Handler, from_http

log = logging.getLogger(__name__)

_FOR_PROGRAMS = ("/api/", "/healthz", "/readyz", "/static/")


@web.middleware
async def answer_as_page(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Inside `answer_problems`, which answers whatever is not for people, and what fails here."""
    try:
        return await handler(request)
    except HomeError as error:
        if not _wants_page(request):
            raise
        return await request.app[keys.RENDER_PROBLEM](request, error)
    except web.HTTPException as error:
        if error.status < 400 or not _wants_page(request):
            raise
        return await request.app[keys.RENDER_PROBLEM](request, from_http(error))
    except asyncio.CancelledError:
        raise
    except Exception:
        if not _wants_page(request):
            raise
        log.exception("Page failed")
        return await request.app[keys.RENDER_PROBLEM](request, HomeError("internal"))


def _wants_page(request: web.Request) -> bool:
    return (
        keys.RENDER_PROBLEM in request.app
        and not request.path.startswith(_FOR_PROGRAMS)
        and "text/html" in request.headers.get("Accept", "")
    )
