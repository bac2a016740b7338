"""The part of a form in which somebody proves once more who they are: `_proof.html`, by a code or by a passkey.

Form field: `code`. A passkey is shown by a script beforehand, and then the form asks for nothing.
"""

from typing import NamedTuple

from aiohttp import web

from gateway.desk import own_factors, step_up
from gateway.door import sessions
from gateway.door.passkey_site import PASSKEY_SITE
from gateway.pages.forms import Form
from shared.words.problem import HomeError


class Wanted(NamedTuple):
    """What a form asks for. `strong`: they have a strong factor at all; `passkey`: one that can be shown here."""

    strong: bool
    passkey: bool = False
    app: bool = False


async def wanted(request: web.Request) -> Wanted | None:
    """What is asked of who has to prove it; None where they did within the last minutes. Raises auth-unreachable."""
    if step_up.is_proved(sessions.signed_in_owing(request)):
        return None
    kinds = {factor.kind for factor in (await own_factors.of(request)).factors}
    here = request.app[PASSKEY_SITE].here(request) is not None
    return Wanted(strong=bool(kinds), passkey="passkey" in kinds and here, app="totp" in kinds)


async def of_account(request: web.Request) -> Wanted | None:
    """What a form of the account asks for beside the password: nothing of who has no strong factor."""
    try:
        asked = await wanted(request)
    except HomeError as error:
        if error.slug != "auth-unreachable":
            raise
        return None  # the page says so, or whoever sends the form is told
    return asked if asked is not None and asked.strong else None


def code(form: Form) -> str:
    """What was typed."""
    return form.text("code").strip()[:32]


async def take(request: web.Request, form: Form) -> None:
    """Where a code was typed and none has been shown of late: take it. Raises confirmation-failed, with `field`."""
    if (typed := code(form)) and not step_up.is_proved(sessions.signed_in(request)):
        await step_up.prove(request, code=typed)
