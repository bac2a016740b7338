"""GET /lockdown and /lockdown/code, POST /lockdown/code and /lockdown: lock the home down, or end that, in two steps.

Form fields: none to ask for a code; else `active` "true" or "false", and `password` or `code` for beginning, both for
ending.
"""

from typing import Final

from aiohttp import web

from gateway import keys
from gateway.desk import attempt, lockdown
from gateway.door import sessions
from gateway.pages import faults, flash, proving
from gateway.pages.acts import Said
from gateway.pages.forms import read_form
from gateway.picture import guards
from shared.words.languages import later
from shared.words.problem import HomeError

_SHOWN_HERE: Final = frozenset(
    {"confirmation-failed", "step-up-required", "rate-limited", "auth-unreachable", "no-proof"}
)
_NO_FACTOR: Final = proving.Wanted(strong=False)
_BEGUN: Final = Said(
    "good",
    later("The home is locked down"),
    later("Everyone is signed out, you too. Whoever signs in again can switch off, lock and stop, and nothing else."),
)
_ENDED: Final = Said(
    "good", later("The lockdown is over"), later("Your home obeys again. Whoever was signed out may sign in.")
)


async def show_lockdown(request: web.Request) -> web.StreamResponse:
    """What a lockdown is, whether there is one, and the first step of beginning or ending it."""
    sessions.signed_in_owing(request)
    return await _form(request, step=1)


async def show_code(request: web.Request) -> web.StreamResponse:
    """The second step: the code, and the password for ending."""
    sessions.signed_in_owing(request)
    return await _form(request, step=2)


async def ask_code(request: web.Request) -> web.StreamResponse:
    """Have the code mailed."""
    try:
        await lockdown.ask_code(request)
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _form(request, step=1, error=error)
    raise web.HTTPSeeOther("/lockdown/code")


async def change(request: web.Request) -> web.StreamResponse:
    """Begin or end, with the code."""
    sessions.signed_in_owing(request)
    form = await read_form(request)
    wanted = form.text("active")
    if wanted not in ("true", "false"):
        raise HomeError("bad-request", "active is true or false.")
    active = wanted == "true"
    code, password = form.text("code").strip()[:32], form.text("password")[:1024]
    try:
        await lockdown.change(request, active=active, code=code, password=password)
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _form(request, step=2 if "code" in form else 1, error=error)
    await flash.put(request, (_BEGUN if active else _ENDED).spoken())
    raise web.HTTPSeeOther("/login" if active else "/")


async def _form(request: web.Request, *, step: int, error: HomeError | None = None) -> web.Response:
    """The page for what can be done next. Raises forbidden for guests while there is nothing to tell them."""
    info = sessions.signed_in_owing(request)
    stands = request.app[keys.HOME].lockdown
    may = guards.may_end_lockdown(info) if stands.active else guards.may_lock_down(info)
    if not stands.active and not may:
        raise HomeError("forbidden", lockdown.NOT_GUESTS)
    proof = await _proof(request) if stands.active and may else _NO_FACTOR
    strong = proof is None or proof.strong
    asked = await attempt.of_session(request) if step == 2 and may and not strong else None
    return await faults.page(
        request,
        "lockdown.html",
        error,
        step=step,
        may=may,
        asked=asked,
        strong=strong,
        proof=proof if strong else None,
    )


async def _proof(request: web.Request) -> proving.Wanted | None:
    """What is asked of who ends it; while nobody can tell, as of who has no strong factor: the page says why."""
    try:
        return await proving.wanted(request)
    except HomeError as error:
        if error.slug != "auth-unreachable":
            raise
        return _NO_FACTOR
