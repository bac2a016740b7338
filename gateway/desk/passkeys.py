"""Passkeys, for API and pages alike: made by who is signed in, and shown alone to sign in.

Each raises HomeError: auth-unreachable, rate-limited, invalid-value where the page is under another name than passkeys.
"""

from aiohttp import web

from gateway import keys
from gateway.desk import sign_in as signing_in
from gateway.desk.own_factors import counted
from gateway.door import cookie, limits, sessions
from gateway.door.passkey_site import PASSKEY_SITE
from shared.running.log import security
from shared.words.internal import User
from shared.words.internal_passkeys import (
    Challenge,
    ChallengeAsked,
    Credential,
    PasskeyBegin,
    PasskeyBegun,
    PasskeyFinish,
    PasskeyLogin,
    Site,
)
from shared.words.problem import HomeError


async def begin(request: web.Request, *, current: str, code: str = "", name: str) -> PasskeyBegun:
    """What the browser is to make. Also raises sign-in-required, wrong-password."""
    token = counted(request)
    wanted = PasskeyBegin(
        token=token, current=current, code=code, name=name, site=site(request), address=request.remote or ""
    )
    return await request.app[keys.AUTH].begin_passkey(wanted)


async def finish(request: web.Request, factor_id: str, credential: Credential) -> tuple[str, ...]:
    """It is made; recovery codes where it is the first factor. Also raises confirmation-failed, no-proof."""
    token = counted(request)
    wanted = PasskeyFinish(
        token=token, id=factor_id, credential=credential, site=site(request), address=request.remote or ""
    )
    return (await request.app[keys.AUTH].finish_passkey(wanted)).codes


async def challenge(request: web.Request) -> Challenge:
    """What a passkey must answer, in this browser, once."""
    asked = ChallengeAsked(browser=await cookie.browser_of(request), site=site(request))
    return await request.app[keys.AUTH].challenge(asked)


async def sign_in(request: web.Request, credential: Credential, *, own: bool) -> User:
    """As sign_in.sign_in, without mail and password. Also raises sign-in-failed."""
    limits.hit(request, "login", limits.by_address(request))
    wanted = PasskeyLogin(
        credential=credential,
        browser=await cookie.browser_of(request),
        site=site(request),
        address=request.remote or "",
        agent=request.headers.get("User-Agent", "")[: signing_in.AGENT_CHARACTERS],
        own=own,
    )
    try:
        answer = await request.app[sessions.SESSIONS].begin(request.app[keys.AUTH].sign_in_by_passkey(wanted))
    except HomeError as error:
        if error.slug == "sign-in-failed":
            security("sign_in_failed")
        raise
    return await signing_in.opened(request, answer, own=own)


def site(request: web.Request) -> Site:
    """For what passkeys are good here. Raises invalid-value where they cannot be asked for."""
    site = request.app[PASSKEY_SITE].here(request)
    if site is not None:
        return site
    known = request.app[PASSKEY_SITE].site()
    if known is None:
        raise HomeError("invalid-value", "This hub has no name for passkeys.")
    raise HomeError("invalid-value", f"Passkeys work at {known.origins[0]}. This page is somewhere else.")
