"""GET and POST /account/email, POST /account/email/confirm: another address, confirmed at both.

Form fields: `email`, `current`, `code`, and then `old_code`, `new_code`, `code`. The password is not written back.
"""

from typing import Final

from aiohttp import web

from gateway.desk import own_email, sign_in
from gateway.door import sessions
from gateway.pages import faults, flash, proving
from gateway.pages.acts import Said
from gateway.pages.forms import Form, read_form
from gateway.pages.speaking import say
from shared.words import addresses
from shared.words.languages import later
from shared.words.problem import HomeError

_MOST_PASSWORD: Final = 1024
_MOST_CODE: Final = 32
_SHOWN_HERE: Final = frozenset(
    {"wrong-password", "confirmation-failed", "invalid-value", "rate-limited", "auth-unreachable", "no-proof"}
)
_CHANGED: Final = later("Your e-mail address is another one now")
_FOLLOWS: Final = later("You sign in with {email}, and letters go there. Every other browser of yours is signed out.")


async def show(request: web.Request) -> web.StreamResponse:
    """What is to be done next: type another address, or the codes of the letters."""
    sessions.signed_in(request)
    return await _page(request, Form({}))


async def begin(request: web.Request) -> web.StreamResponse:
    """Have letters sent, and on to typing their codes; or say beside the field what was wrong."""
    sessions.signed_in(request)
    form = await read_form(request)
    try:
        _check(form)
        await own_email.begin(
            request, email=form.text("email").strip(), current=form.text("current"), code=proving.code(form)
        )
    except HomeError as error:
        return await _again(request, form, error, begins=True)
    raise web.HTTPSeeOther("/account/email")


async def confirm(request: web.Request) -> web.StreamResponse:
    """Change it, and back to the account; or say beside the field what was wrong."""
    sessions.signed_in(request)
    form = await read_form(request)
    old, new = (form.text(field).strip()[:_MOST_CODE] for field in ("old_code", "new_code"))
    try:
        if not new:
            raise HomeError("invalid-value", "Type the code of the letter to the new address.", field="new_code")
        user = await own_email.confirm(request, old_code=old, new_code=new, code=proving.code(form))
    except HomeError as error:
        return await _again(request, form, error, begins=False)
    told = say(_FOLLOWS, email=user.email)
    await flash.put(request, Said("good", say(_CHANGED), told))
    response = web.Response(status=303, headers={"Location": "/account"})
    sign_in.remember(request, response)
    return response


def _check(form: Form) -> None:
    """What needs no asking. Raises invalid-value with the field."""
    if not 1 <= len(form.text("email").strip()) <= addresses.LONGEST:
        raise HomeError("invalid-value", "The e-mail address is not of the form name@example.org.", field="email")
    if not 1 <= len(form.text("current")) <= _MOST_PASSWORD:
        raise HomeError("invalid-value", f"A password has 1 to {_MOST_PASSWORD} characters.", field="current")


async def _again(request: web.Request, form: Form, error: HomeError, *, begins: bool) -> web.Response:
    if error.slug not in _SHOWN_HERE:
        raise error
    return await _page(request, form, error, begins=begins)


async def _page(
    request: web.Request, form: Form, error: HomeError | None = None, *, begins: bool = False
) -> web.Response:
    """Both forms where letters are on their way; `begins`: the error is of the one that has them sent."""
    try:
        state = await own_email.state(request)
    except HomeError as away:
        if error is None or away.slug != "auth-unreachable":
            raise
        state = None  # the error says so
    return await faults.page(
        request,
        "email.html",
        error,
        form=form,
        begins=begins,
        wanted=state.wanted if state is not None else None,
        instead=state is not None and state.instead,
        proof=await proving.of_account(request),
    )
