"""GET and POST /house/join/client: the master user lets a trusted client join, and gets the line for it, this once.

Of a home of many devices it shows one room at a time (gateway/pages/picking.py). Form fields: `name`; one for each
device that it may command and hear, such as "hall/lamp"; `code` where no factor was shown within the last minutes.
"""

from aiohttp import web

from gateway import keys
from gateway.desk import joining
from gateway.desk.joining import ClientLine
from gateway.pages import faults, picking, proving
from gateway.pages.forms import Form
from gateway.pages.joining import opened, shown
from shared.words.problem import HomeError


async def show_form(request: web.Request) -> web.StreamResponse:
    """How the new client is to be called, and what it may."""
    return await shown(request, _page)


async def open_window(request: web.Request) -> web.StreamResponse:
    """The line; or the form again, with what was wrong."""
    return await opened(
        request,
        _page,
        lambda name, form: joining.open_client_window(request, name, _ticked(form)),
        frozenset({"unknown-device"}),
    )


def _ticked(form: Form) -> tuple[str, ...]:
    return tuple(name for name in form.names() if "/" in name)


async def _page(
    request: web.Request, form: Form, *, line: ClientLine | None = None, error: HomeError | None = None
) -> web.Response:
    return await faults.page(
        request,
        "join_client.html",
        error,
        form=form,
        ticked=_ticked(form),
        line=line,
        picks=picking.of(request, request.app[keys.HOME].rooms(), form),
        target=request.path,
        proof=None if line is not None else await proving.wanted(request),
    )
