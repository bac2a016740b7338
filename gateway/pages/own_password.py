"""GET and POST /account/password: another password. Form fields: `current`, `new`, `again`; none is written back."""

from typing import Final

from aiohttp import web

from gateway.desk import own_password
from gateway.door import sessions
from gateway.pages import faults, flash, proving
from gateway.pages.acts import Said
from gateway.pages.forms import Form, read_form
from shared.words.languages import later
from shared.words.problem import HomeError

_MOST: Final = 1024
_SHOWN_HERE: Final = frozenset(
    {"wrong-password", "confirmation-failed", "invalid-value", "rate-limited", "auth-unreachable", "no-proof"}
)
_CHANGED: Final = Said(
    "good",
    later("Your password is another one now"),
    later("Every other browser of yours is signed out. A letter tells you of it."),
)


async def show_password(request: web.Request) -> web.StreamResponse:
    """The form."""
    sessions.signed_in_owing(request)
    return await _form(request)


async def change_password(request: web.Request) -> web.StreamResponse:
    """Change it, and back to the account; or say beside the field what was wrong."""
    sessions.signed_in_owing(request)
    form = await read_form(request)
    try:
        _check(form)
        await own_password.change(request, current=form.text("current"), code=proving.code(form), new=form.text("new"))
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _form(request, error)
    await flash.put(request, _CHANGED.spoken())
    raise web.HTTPSeeOther("/account")


def _check(form: Form) -> None:
    """What needs no asking. Raises invalid-value with the field."""
    for field in ("current", "new"):
        if not 1 <= len(form.text(field)) <= _MOST:
            raise HomeError("invalid-value", f"A password has 1 to {_MOST} characters.", field=field)
    if form.text("new") != form.text("again"):
        raise HomeError("invalid-value", "This is not the same as the new password above.", field="again")


async def _form(request: web.Request, error: HomeError | None = None) -> web.Response:
    proof = await proving.of_account(request)
    return await faults.page(request, "password.html", error, proof=proof)
