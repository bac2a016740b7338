"""GET and POST /invitations/{id}: where the link of an invitation leads. Form fields: `code`, `new`, `again`.

Showing the page asks nobody anything and uses nothing up, since mailboxes open links by themselves; so it looks the
same whether there is such an invitation or not. Neither code nor password is written back.
"""

from typing import Final

from aiohttp import web

from gateway.desk import invitations
from gateway.door import sessions
from gateway.pages import faults, flash
from gateway.pages.acts import Said
from gateway.pages.forms import Form, read_form
from gateway.pages.speaking import say
from shared.words.problem import HomeError

_MOST_CODE: Final = 32
_MOST_PASSWORD: Final = 1024
_SHOWN_HERE: Final = frozenset({"confirmation-failed", "invalid-value", "rate-limited", "auth-unreachable", "no-proof"})


async def show(request: web.Request) -> web.StreamResponse:
    """The form."""
    return await _page(request)


async def take(request: web.Request) -> web.StreamResponse:
    """Become a user, and on to signing in; or say beside the field what was wrong."""
    form = await read_form(request)
    try:
        _check(form)
        await invitations.take(request, request.match_info["id"], code=form.text("code"), new=form.text("new"))
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _page(request, error)
    if sessions.viewer(request) is None:
        told = say("Sign in with your e-mail address and the password that you have just chosen.")
    else:
        told = say("Whose account that is signs in with their own e-mail address; you are signed in as before.")
    await flash.put(request, Said("good", say("The account is made"), told))
    raise web.HTTPSeeOther("/login")


def _check(form: Form) -> None:
    """What needs no asking. Raises invalid-value with the field."""
    if not 1 <= len(form.text("code")) <= _MOST_CODE:
        raise HomeError("invalid-value", "Type the code that the letter carries.", field="code")
    if not 1 <= len(form.text("new")) <= _MOST_PASSWORD:
        raise HomeError("invalid-value", "A password has 1 to 1024 characters.", field="new")
    if form.text("new") != form.text("again"):
        raise HomeError("invalid-value", "This is not the same as the password above.", field="again")


async def _page(request: web.Request, error: HomeError | None = None) -> web.Response:
    return await faults.page(request, "invitation.html", error)
