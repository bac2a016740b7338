"""GET and POST /house/join: the master user lets a room join, and gets the line for its Pi, this once.

Form fields: `name`; `code` where no factor was shown within the last minutes.
"""

from collections.abc import Awaitable, Callable, Set
from typing import Final, Protocol, TypeVar

from aiohttp import web

from gateway.desk import joining
from gateway.desk.joining import Line
from gateway.pages import faults, picking, proving
from gateway.pages.forms import Form, read_form
from shared.words.problem import HomeError

_SHOWN_HERE: Final = frozenset(
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
_MOST_NAME: Final = 64
_Opened = TypeVar("_Opened", contravariant=True)


class Page(Protocol[_Opened]):
    """A page whose form opens a window, and that shows the line afterwards."""

    def __call__(
        self, request: web.Request, form: Form, *, line: _Opened | None = None, error: HomeError | None = None
    ) -> Awaitable[web.Response]:
        """The form, the form with what was wrong, or the line."""


async def show_form(request: web.Request) -> web.StreamResponse:
    """How the new room is to be called."""
    return await shown(request, _page)


async def open_window(request: web.Request) -> web.StreamResponse:
    """The line; or the form again, with what was wrong."""
    return await opened(request, _page, lambda name, _: joining.open_window(request, name))


async def shown(request: web.Request, page: Page[_Opened]) -> web.Response:
    """The empty form, for whoever may."""
    joining.check(request)
    return await page(request, Form({}))


async def opened(
    request: web.Request,
    page: Page[_Opened],
    window: Callable[[str, Form], Awaitable[_Opened]],
    also: Set[str] = frozenset(),
) -> web.Response:
    """What `window` gave for the name, on the page; what went wrong there too, where it is among these or `also`."""
    joining.check(request)  # whether they may at all, before a code is used up
    form = await read_form(request)
    if picking.only_looks(form):
        return await page(request, form)
    try:
        await proving.take(request, form)
        line = await window(form.text("name").strip()[:_MOST_NAME], form)
    except HomeError as error:
        if error.slug not in _SHOWN_HERE | also:
            raise
        return await page(request, form, error=error)
    return await page(request, form, line=line)


async def _page(
    request: web.Request, form: Form, *, line: Line | None = None, error: HomeError | None = None
) -> web.Response:
    return await faults.page(
        request,
        "join.html",
        error,
        form=form,
        line=line,
        target=request.path_qs,
        proof=None if line is not None else await proving.wanted(request),
    )
