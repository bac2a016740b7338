"""Signing in and out, for API and pages alike: the limits of each step, the call to the auth service, the cookies.

Step 1 is answered alike, and in the same time, whether or not the account exists; step 2 fails always alike
(ASVS 5.0 6.3.8). What is asked too often is refused by address alone; an account's own budgets are the auth service's,
who keeps silent about them. What comes of it is a security event of the log, with its address.
"""

import logging
from typing import Final

from aiohttp import web

from gateway import keys
from gateway.door import browsers, cookie, csrf, limits, sessions
from gateway.door.browsers import account
from shared.door.web import USER
from shared.running.log import facts, security
from shared.words.internal import LoginAnswer, LoginCodeRequest, LoginRequest, Regulation, SessionInfo, User
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_REMEMBER: Final = web.RequestKey("remember_browser", str)
AGENT_CHARACTERS: Final = 200


async def ask_code(request: web.Request, email: str, password: str) -> None:
    """Step 1. Raises rate-limited or auth-unreachable, and tells nothing else."""
    known = request.app[browsers.BROWSERS].known(request, email) or ""
    await _count(request, "login_code", email, known)
    await request.app[keys.AUTH].ask_code(
        LoginCodeRequest(
            email=email,
            password=password,
            browser=await cookie.browser_of(request),
            address=request.remote or "",
            known=known,
            regulation=_regulation(request),
        )
    )


async def sign_in(request: web.Request, email: str, password: str, code: str, *, own: bool = False) -> User:
    """Step 2: a new session, a new CSRF token and a new pre-login id in the cookie; `own`: in the person's own browser.

    Raises sign-in-failed, rate-limited or auth-unreachable. Call `remember` on the response that follows.
    """
    known = request.app[browsers.BROWSERS].known(request, email) or ""
    await _count(request, "login", email, known)
    try:
        wanted = LoginRequest(
            email=email,
            password=password,
            code=code,
            browser=await cookie.browser_of(request),
            address=request.remote or "",
            agent=request.headers.get("User-Agent", "")[:AGENT_CHARACTERS],
            known=known,
            own=own,
            regulation=_regulation(request),
        )
        answer = await request.app[sessions.SESSIONS].begin(request.app[keys.AUTH].sign_in(wanted))
    except HomeError as error:
        if error.slug == "sign-in-failed":
            security("sign_in_failed")
        raise
    return await opened(request, answer, own=own)


async def opened(request: web.Request, answer: LoginAnswer, *, own: bool) -> User:
    """The cookie of a session that was begun just now; the browser's former session ends."""
    former = await cookie.token_of(request)
    await cookie.renew(request, answer.token, own=own)
    await csrf.token(request)
    request[_REMEMBER] = answer.session.user.email
    request[USER] = answer.session.user.id
    security("signed_in", user=answer.session.user.id)
    if former is not None:
        await _end(request, former)
    return answer.session.user


async def go_on_after(request: web.Request, former: SessionInfo, answer: LoginAnswer) -> None:
    """The cookie of the session that goes on in this browser after every one of this person's ended."""
    if request.app[browsers.BROWSERS].known(request, former.user.email):
        request[_REMEMBER] = answer.session.user.email  # by that address from now on, if it is another
    await cookie.renew(request, answer.token, own=await cookie.is_own(request))
    await csrf.token(request)
    end_here(request, (former.id,))


def remember(request: web.Request, response: web.StreamResponse) -> None:
    """After a good `sign_in`, or where the address is another now: let the browser be known for that account."""
    email = request.get(_REMEMBER)
    if email is not None:
        request.app[browsers.BROWSERS].remember(request, response, email)


async def sign_out(request: web.Request) -> None:
    """End the session at the auth service and empty the cookie. Raises auth-unreachable, and then nothing ended."""
    token = await cookie.token_of(request)
    if token is not None:
        try:
            await request.app[keys.AUTH].sign_out(token)
        except HomeError as error:
            if error.slug != "sign-in-required":  # it had ended already: all the better
                raise
        info = sessions.viewer(request)
        if info is not None:
            end_here(request, (info.id,))
    await cookie.renew(request, None)


def end_here(request: web.Request, session_ids: tuple[str, ...]) -> None:
    """Forget ended sessions and close their streams at this gateway, without waiting for the broker's word."""
    request.app[sessions.SESSIONS].forget(session_ids)
    request.app[keys.HUB].end_sessions(session_ids)


async def _end(request: web.Request, token: str) -> None:
    """The browser's former session; that it lives until its own end is no reason to refuse the new one."""
    try:
        await request.app[keys.AUTH].sign_out(token)
    except HomeError as error:
        log.warning("Former session could not be ended", extra=facts(reason=error.slug))


async def _count(request: web.Request, name: str, email: str, known: str) -> None:
    """By address; a browser known to the account has a budget of its own before that. Raises rate-limited."""
    if known and limits.spend(request, name, f"browser:{known}", f"account:{account(email)}"):
        return
    limits.hit(request, name, limits.by_address(request))


def _regulation(request: web.Request) -> Regulation:
    table = request.app[limits.LIMITS]
    return Regulation(letters=table.budgets("login_code_account"), wrong_passwords=table.budgets("wrong_passwords"))
