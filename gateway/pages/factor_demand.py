"""GET and POST /users/factors: the master user's form for demanding a strong factor of everyone.

Form fields: `demanded` "true" or "false"; `code` where no factor was shown within the last minutes.
"""

from typing import Final

from aiohttp import web

from gateway import keys
from gateway.desk import factor_demand
from gateway.door import sessions
from gateway.pages import faults, flash, proving
from gateway.pages.acts import Said
from gateway.pages.forms import read_form
from gateway.pages.speaking import say
from shared.words.problem import HomeError

_SHOWN_HERE: Final = frozenset(
    {"confirmation-failed", "step-up-required", "rate-limited", "auth-unreachable", "no-proof"}
)


async def show_demand(request: web.Request) -> web.StreamResponse:
    """What stands, and who has no strong factor."""
    return await _page(request)


async def change_demand(request: web.Request) -> web.StreamResponse:
    """Demand it, or take that back."""
    sessions.signed_in(request)
    form = await read_form(request)
    if form.text("demanded") not in ("true", "false"):
        raise HomeError("bad-request", "demanded is true or false.")
    demanded = form.text("demanded") == "true"
    try:
        await factor_demand.state(request)  # whether they may at all, before a code is used up
        await proving.take(request, form)
        await factor_demand.change(request, demanded=demanded)
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _page(request, error)
    text = say("Who has none is asked to add one, and may look and make things safer until then.") if demanded else ""
    said = say("Everyone has to have a strong factor now") if demanded else say("Nobody has to have a strong factor")
    await flash.put(request, Said("good", said, text))
    raise web.HTTPSeeOther("/users")


async def _page(request: web.Request, error: HomeError | None = None) -> web.Response:
    stands = await factor_demand.state(request)
    rows = (await request.app[keys.AUTH].users()).users
    return await faults.page(
        request,
        "factor_demand.html",
        error,
        demanded=stands.demanded,
        without=[row.user for row in rows if row.user.id in stands.without and not row.disabled],
        proof=await proving.wanted(request),
        missed=error is not None and error.facts.get("field") == "code",
    )
