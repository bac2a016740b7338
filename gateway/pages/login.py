"""GET /login, GET /login/code and POST /login: the two steps of signing in.

Step 1, e-mail and password, has a code mailed; step 2 is e-mail, password and code. One address takes both forms and
tells them apart by the field `code`. The password is never written into a page; the e-mail waits in the encrypted
cookie, since addresses of people do not belong into URLs (ASVS 5.0 14.2.1, 6.3.8).
"""

from typing import Final

import aiohttp_session
from aiohttp import web

from gateway.desk import attempt, sign_in
from gateway.door import cookie, sessions
from gateway.door.passkey_site import PASSKEY_SITE
from gateway.pages import faults, render
from gateway.pages.acts import Said
from gateway.pages.endings import SAID
from gateway.pages.faults import Fault
from gateway.pages.forms import Form, read_form
from shared.words.problem import HomeError

_EMAIL: Final = "email"
_NEXT: Final = "next"
_MOST_EMAIL: Final = 254
_MOST_PASSWORD: Final = 1024
_SHOWN_HERE: Final = frozenset({"sign-in-failed", "invalid-value", "rate-limited", "auth-unreachable"})


async def show_login(request: web.Request) -> web.StreamResponse:
    """Step 1; who is signed in already goes home."""
    if sessions.viewer(request) is not None:
        raise web.HTTPSeeOther("/")
    session = await aiohttp_session.get_session(request)
    wanted = local_path(request.query.get("next", ""))
    if session.get(_NEXT, "") != wanted:
        session[_NEXT] = wanted
    ended = SAID.get(sessions.why_ended(request) or "")
    if ended is not None:
        await cookie.forget_token(request)  # it is said once
    return await _form(request, step=1, email="", ended=ended.spoken() if ended is not None else None)


async def show_code(request: web.Request) -> web.StreamResponse:
    """Step 2, with the e-mail of step 1."""
    if sessions.viewer(request) is not None:
        raise web.HTTPSeeOther("/")
    session = await aiohttp_session.get_session(request)
    return await _form(request, step=2, email=str(session.get(_EMAIL, "")))


async def take_login(request: web.Request) -> web.StreamResponse:
    """Either step, by whether there is a field `code`."""
    form = await read_form(request)
    try:
        _check(form)
        if "code" in form:
            return await _sign_in(request, form)
        await sign_in.ask_code(request, form.text("email").strip(), form.text("password"))
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _again(request, form, error)
    session = await aiohttp_session.get_session(request)
    session[_EMAIL] = form.text("email").strip()
    raise web.HTTPSeeOther("/login/code")


def local_path(text: str) -> str:
    """`text` if it is an address within this home, else the home: a letter's link leads on, a stranger's does not."""
    fine = text.startswith("/") and not text.startswith(("//", "/\\", "/login")) and text.isprintable()
    return text if fine and "\\" not in text and len(text) <= 512 else "/"


async def _sign_in(request: web.Request, form: Form) -> web.Response:
    """Step 2. The cookie is new afterwards, so what is needed of the old one is read before."""
    wanted = local_path(str((await aiohttp_session.get_session(request)).get(_NEXT, "")))
    code = form.text("code").strip()[:32]
    await sign_in.sign_in(
        request, form.text("email").strip(), form.text("password"), code, own=form.text("own") == "yes"
    )
    response = web.Response(status=303, headers={"Location": wanted})
    sign_in.remember(request, response)
    return response


def _check(form: Form) -> None:
    """What is no e-mail address and no password at all needs no asking. Raises invalid-value."""
    email, password = form.text("email").strip(), form.text("password")
    if "@" not in email or not 3 <= len(email) <= _MOST_EMAIL:
        raise HomeError("invalid-value", "Type your e-mail address.")
    if not 1 <= len(password) <= _MOST_PASSWORD:
        raise HomeError("invalid-value", "Type your password.")


async def _again(request: web.Request, form: Form, error: HomeError) -> web.StreamResponse:
    """The same step once more, with what was typed (not the password) and what was wrong."""
    fault = faults.of(error)
    email = form.text("email").strip()[:_MOST_EMAIL]
    own = form.text("own") == "yes"
    step = 2 if "code" in form else 1
    response = await _form(request, step=step, email=email, status=error.status, problem=fault, own=own)
    response.headers.update(fault.headers)
    return response


async def _form(
    request: web.Request,
    *,
    step: int,
    email: str,
    status: int = 200,
    problem: Fault | None = None,
    own: bool = False,
    ended: Said | None = None,
) -> web.Response:
    session = await aiohttp_session.get_session(request)
    wanted = local_path(str(session.get(_NEXT, "")))
    asked = await attempt.of_browser(request) if step == 2 else None
    return await render.page(
        request,
        "login.html",
        status=status,
        step=step,
        email=email,
        problem=problem,
        wanted=wanted,
        asked=asked,
        own=own,
        ended=ended,
        passkeys=step == 1 and request.app[PASSKEY_SITE].here(request) is not None,
    )
