"""GET and POST /house/join: the master user lets a room join, and gets the line for its Pi, this once.

Form fields: `name`; `code` where no factor was shown within the last minutes.
"""

from typing import Final

from aiohttp import web

from gateway.desk import joining
from gateway.desk.joining import Line
from gateway.pages import faults, proving
from gateway.pages.forms import Form, read_form
from shared.words.problem import HomeError

SHOWN_HERE: Final = frozenset(
    {
        "already-exists",
        "auth-unreachable",
        "confirmation-failed",
        "invalid-value",
        "no-proof",
        "rate-limited",
        "step-up-required",
    }
)
MOST_NAME: Final = 64


async def show_form(request: web.Request) -> web.StreamResponse:
    """How the new room is to be called."""
    joining.check(request)
    return await _page(request, Form({}))


async def open_window(request: web.Request) -> web.StreamResponse:
    """The line; or the form again, with what was wrong."""
    joining.check(request)  # whether they may at all, before a code is used up
    form = await read_form(request)
    try:
        await proving.take(request, form)
        line = await joining.open_window(request, form.text("name").strip()[:MOST_NAME])
    except HomeError as error:
        if error.slug not in SHOWN_HERE:
            raise
        return await _page(request, form, error=error)
    return await _page(request, form, line=line)


async def _page(
    request: web.Request, form: Form, *, line: Line | None = None, error: HomeError | None = None
) -> web.Response:
    return await faults.page(
        request,
        "join.html",
        error,
        form=form,
        line=line,
        proof=None if line is not None else await proving.wanted(request),
    )
