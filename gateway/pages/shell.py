"""GET /offline and GET /service-worker.js: what a browser keeps for when the home cannot be reached.

The page is the same for everyone, whoever asks: it takes no cookie and gives none.
"""

from aiohttp import web

from gateway.pages import render


async def show_offline(request: web.Request) -> web.StreamResponse:
    """The page that says so."""
    return await render.same_for_all(request, "offline.html")
