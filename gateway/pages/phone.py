"""GET and POST /join/phone: the file by which an app on this phone becomes a trusted client, for the code on the hub's
screen. Form field: `code`, which is not written back.

Showing the page asks nobody anything: the code stands in no address, so that no log and no history of a browser has it.
"""

import asyncio
from typing import Final

from aiohttp import web

from gateway.desk import joining
from gateway.door.offering import OFFER
from gateway.pages import faults
from gateway.pages.forms import read_form
from shared.words.problem import HomeError

_SHOWN_HERE: Final = frozenset(
    {
        "auth-unreachable",
        "broker-unreachable",
        "changed-meanwhile",
        "invalid-value",
        "join-refused",
        "no-proof",
        "rate-limited",
        "signer-unreachable",
    }
)
_TYPE: Final = "application/x-pkcs12"


async def show(request: web.Request) -> web.StreamResponse:
    """What to do, and where the code goes."""
    return await _page(request)


async def take(request: web.Request) -> web.StreamResponse:
    """The file, once; or the page again, with what was wrong."""
    form = await read_form(request)
    try:
        made = await joining.phone_file(request, form.text("code"))
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _page(request, error)
    headers = {"Content-Disposition": f'attachment; filename="{made.client}.p12"', "Cache-Control": "no-store"}
    return web.Response(body=made.content, content_type=_TYPE, headers=headers)


async def _page(request: web.Request, error: HomeError | None = None) -> web.Response:
    broker = await asyncio.to_thread(request.app[OFFER].broker)
    return await faults.page(request, "phone.html", error, broker=broker)
