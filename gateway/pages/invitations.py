"""GET and POST /users/invite, POST /users/invitations/withdraw: whom the master user invites.

Form fields of inviting: `email`, `name`, `role`, `language` (empty: the home's), `current` (the password),
`code` (where there is a strong factor). Of withdrawing: `invitation`, its id.
"""

from typing import Final

from aiohttp import web

from gateway.desk import invitations
from gateway.door import sessions
from gateway.pages import faults, flash, proving
from gateway.pages.acts import Said
from gateway.pages.forms import Form, read_form
from gateway.pages.speaking import say
from gateway.picture import guards
from shared.words.languages import CALLED, known_language
from shared.words.names import Role
from shared.words.problem import HomeError

_MOST_EMAIL: Final = 254
_MOST_NAME: Final = 64
_MOST_PASSWORD: Final = 1024
_SHOWN_HERE: Final = frozenset(
    {
        "wrong-password",
        "confirmation-failed",
        "invalid-value",
        "already-exists",
        "rate-limited",
        "auth-unreachable",
        "no-proof",
    }
)


async def show_form(request: web.Request) -> web.StreamResponse:
    """Whom one would like to invite."""
    _master(request)
    return await _page(request, Form({"role": Role.MEMBER}))


async def invite(request: web.Request) -> web.StreamResponse:
    """Invite, and back to the people; or say beside the field what was wrong."""
    _master(request)
    form = await read_form(request)
    try:
        _check(form)
        made = await invitations.invite(
            request,
            current=form.text("current"),
            code=proving.code(form),
            email=form.text("email").strip(),
            name=form.text("name").strip(),
            role=Role(form.text("role")),
            language=known_language(form.text("language")),
        )
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _page(request, form, error)
    title = say("{name} is invited", name=made.name)
    told = say("A letter is on its way to {email}: it works for 48 hours, once.", email=made.email)
    await flash.put(request, Said("good", title, told))
    raise web.HTTPSeeOther("/users")


async def withdraw(request: web.Request) -> web.StreamResponse:
    """Take one back, and back to the people."""
    _master(request)
    await invitations.withdraw(request, (await read_form(request)).text("invitation"))
    told = say("The code in its letter opens nothing any more.")
    await flash.put(request, Said("good", say("The invitation is withdrawn"), told))
    raise web.HTTPSeeOther("/users")


def _check(form: Form) -> None:
    """What needs no asking. Raises invalid-value with the field."""
    email = form.text("email").strip()
    if "@" not in email or not 3 <= len(email) <= _MOST_EMAIL:
        raise HomeError("invalid-value", "Type an e-mail address.", field="email")
    if not 1 <= len(form.text("name").strip()) <= _MOST_NAME:
        raise HomeError("invalid-value", "Type a name of 1 to 64 characters.", field="name")
    if form.text("role") not in set(Role):
        raise HomeError("invalid-value", "Choose what they may do.", field="role")
    if form.text("language") and known_language(form.text("language")) is None:
        raise HomeError("invalid-value", "Choose a language.", field="language")
    if not 1 <= len(form.text("current")) <= _MOST_PASSWORD:
        raise HomeError("invalid-value", "Type the password that you have.", field="current")


async def _page(request: web.Request, form: Form, error: HomeError | None = None) -> web.Response:
    return await faults.page(
        request,
        "invite.html",
        error,
        roles=list(Role),
        languages=CALLED,
        form=form,
        proof=await proving.of_account(request),
    )


def _master(request: web.Request) -> None:
    """Raises forbidden for anyone but the master user."""
    if not guards.may_manage_users(sessions.signed_in(request)):
        raise HomeError("forbidden", "This page is the master user's.")
