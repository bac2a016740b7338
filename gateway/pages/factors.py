"""/account/factors: authenticator apps and recovery codes, without JavaScript.

What is shown once (a secret, recovery codes) is in the answer to a form alone, and in no address, flash or cookie.
"""

import re
from typing import Final

from aiohttp import web

from gateway.desk import own_factors
from gateway.door import sessions
from gateway.door.passkey_site import PASSKEY_SITE
from gateway.pages import faults, flash, proving, qr, render
from gateway.pages.acts import Said
from gateway.pages.forms import Form, read_form
from gateway.pages.speaking import say
from shared.words.internal_factors import FactorBegun
from shared.words.languages import later
from shared.words.problem import HomeError

_SHOWN_HERE: Final = frozenset(
    {"wrong-password", "invalid-value", "rate-limited", "auth-unreachable", "no-proof", "confirmation-failed"}
)
_REMOVED: Final = Said("good", later("Removed"), later("A letter tells you of it."))


async def show_factors(request: web.Request) -> web.StreamResponse:
    """What there is, and the forms."""
    return await _page(request)


async def begin(request: web.Request) -> web.StreamResponse:
    """The QR code of a new app, and the form for its first code. Form fields: `current`, `code`, `name`."""
    form = await _form(request)
    try:
        begun = await own_factors.begin(request, **_typed(form), name=form.text("name")[:64])
    except HomeError as error:
        return await _again(request, error, "begin", form)
    return await _shown(request, begun)


async def confirm(request: web.Request) -> web.StreamResponse:
    """The first code. Form fields: `id`, `secret` and `uri` as they were shown, `code`."""
    form = await _form(request)
    if not re.fullmatch(r"[A-Z2-7]{32}", form.text("secret")) or not form.text("uri").startswith("otpauth://totp/"):
        raise web.HTTPSeeOther("/account/factors")  # no form of ours
    begun = FactorBegun(id=form.text("id")[:64], secret=form.text("secret")[:64], uri=form.text("uri")[:512])
    try:
        codes = await own_factors.confirm(request, begun.id, form.text("code")[:32] or "-")
    except HomeError as error:
        if error.slug != "confirmation-failed":
            return await _again(request, error, "begin", form)
        return await _shown(request, begun, error)
    if codes:
        return await render.page(request, "recovery.html", codes=codes)
    await flash.put(request, Said("good", say("The app is set up"), say("From now on either of them signs you in.")))
    raise web.HTTPSeeOther("/account/factors")


async def remove(request: web.Request) -> web.StreamResponse:
    """Take one away. Form fields: `id`, `current`, `code`."""
    form = await _form(request)
    try:
        await own_factors.remove(request, form.text("id")[:64], **_typed(form))
    except HomeError as error:
        return await _again(request, error, f"remove {form.text('id')}", form)
    await flash.put(request, _REMOVED.spoken())
    raise web.HTTPSeeOther("/account/factors")


async def renew_recovery(request: web.Request) -> web.StreamResponse:
    """Ten other recovery codes. Form fields: `current`, `code`."""
    form = await _form(request)
    try:
        codes = await own_factors.renew_recovery(request, **_typed(form))
    except HomeError as error:
        return await _again(request, error, "recovery", form)
    return await render.page(request, "recovery.html", codes=codes)


async def _form(request: web.Request) -> Form:
    sessions.signed_in_owing(request)
    return await read_form(request)


def _typed(form: Form) -> dict[str, str]:
    """The password and, where it is asked for, a code."""
    return {"current": form.text("current")[:1024], "code": proving.code(form)}


async def _shown(request: web.Request, begun: FactorBegun, error: HomeError | None = None) -> web.Response:
    """The secret once more while its code is typed: it is nowhere else."""
    return await render.page(
        request,
        "factor.html",
        status=200 if error is None else error.status,
        begun=begun,
        picture=qr.drawn(begun.uri, said=say("What the app reads")),
        spaced=" ".join(begun.secret[at : at + 4] for at in range(0, len(begun.secret), 4)),
        problem=faults.of(error) if error is not None else None,
    )


async def _again(request: web.Request, error: HomeError, at: str, form: Form) -> web.Response:
    if error.slug not in _SHOWN_HERE:
        raise error
    return await _page(request, error, at, form.text("name")[:64])


async def _page(request: web.Request, error: HomeError | None = None, at: str = "", name: str = "") -> web.Response:
    """`at`: which form was wrong."""
    sessions.signed_in_owing(request)
    held, site = await own_factors.of(request), request.app[PASSKEY_SITE]
    return await faults.page(
        request,
        "factors.html",
        error,
        held=held,
        at=at,
        named=name,
        site=site.site(),
        here=site.here(request),
        proof=await proving.of_account(request),
        missed=error is not None and error.facts.get("field") == "code",
    )
