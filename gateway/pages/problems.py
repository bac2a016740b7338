"""GET /problems/{slug}, where a problem's `type` leads (RFC 9457, 3.1.1), and how any problem looks as a page."""

from typing import Final

from aiohttp import web
from yarl import URL

from gateway.pages import faults, render, speaking, times
from gateway.pages.faults import Fault
from gateway.pages.speaking import say
from shared.running.log import request_id
from shared.words.problem import CATALOGUE, HomeError

_MAY_PASS: Final = 500
"""From this status on the same page may well work in a moment."""


async def explain(request: web.Request) -> web.StreamResponse:
    """Explain one problem of the catalogue."""
    slug = request.match_info["slug"]
    entry = CATALOGUE.get(slug)
    if entry is None:
        raise HomeError("not-found", "The catalogue of problems has no such entry.")
    return await render.page(request, "explain.html", slug=slug, entry=entry)


async def render_problem(request: web.Request, error: HomeError) -> web.StreamResponse:
    """Answer a problem with a page; who must sign in is led there, and back afterwards."""
    if error.slug == "sign-in-required":
        wanted = request.path_qs if request.method == "GET" else "/"
        login = URL("/login") if wanted == "/" else URL("/login").with_query(next=wanted)
        return web.Response(status=303, headers={"Location": str(login)})
    speaking.begin(request)
    retry_after = error.facts.get("retry_after")
    response = await render.bare(
        request,
        "problem.html",
        status=error.status,
        error=error,
        problem=Fault(say(error.title), faults.detail(error), {}),
        again=request.path_qs if request.method == "GET" and error.status >= _MAY_PASS else None,
        wait=times.wait(int(retry_after)) if retry_after is not None else None,
        request_id=request_id.get(),
    )
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response
