"""Locking the home down and ending that, for API and pages alike: who may, how often, and who is signed out by it.

The limits are counted per session: whoever sits in a stolen one uses up nothing of its owner's.
"""

import logging

from aiohttp import web

from gateway import keys
from gateway.door import cookie, limits, sessions
from gateway.picture import guards
from shared.running.log import facts
from shared.words.internal import LockdownChange, LockdownCodeRequest, LockdownState, SessionInfo
from shared.words.languages import later
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

NOT_GUESTS = later("Master users and members lock the home down.")
MASTER_ONLY = later("Only the master user ends a lockdown; on the hub, `homesystem lockdown end` does.")


async def ask_code(request: web.Request) -> None:
    """Have a code mailed for what can be done next: begin, or end.

    Raises HomeError: sign-in-required, forbidden, rate-limited, auth-unreachable.
    """
    info = sessions.signed_in_owing(request)
    limits.hit(request, "lockdown_code", f"session:{info.id}")
    _check(info, ends=request.app[keys.HOME].lockdown.active)
    token = sessions.token_of(request)
    await request.app[keys.AUTH].ask_lockdown_code(LockdownCodeRequest(token=token, address=request.remote or ""))


async def change(request: web.Request, *, active: bool, code: str = "", password: str = "") -> LockdownState:
    """Begin a lockdown or end it; what now stands. Whoever begins it is signed out with everyone else.

    Raises HomeError: sign-in-required, forbidden, rate-limited, confirmation-failed, no-proof (ending only),
    auth-unreachable.
    """
    info = (sessions.signed_in_owing if active else sessions.signed_in)(request)
    limits.hit(request, "lockdown", f"session:{info.id}")
    _check(info, ends=not active)
    token = sessions.token_of(request)
    wanted = LockdownChange(token=token, active=active, code=code, password=password, address=request.remote or "")
    try:
        stands = await request.app[keys.REGISTRAR].lock_down(wanted)
    except HomeError as error:
        if error.slug == "confirmation-failed":
            log.warning("confirmation_failed", extra=facts(user=info.user.id, address=request.remote or "-"))
        raise
    log.warning("Lockdown changed", extra=facts(user=info.user.id, active=stands.active))
    if active and not await _lives(request, token):
        request.app[keys.HUB].end_sessions((info.id,))  # without waiting for the broker's word
        await cookie.renew(request, None)
    return stands


async def _lives(request: web.Request, token: str) -> bool:
    """It does where the home was locked down before, and somebody has signed in since."""
    try:
        await request.app[sessions.SESSIONS].verify(token, fresh=True)
    except HomeError:
        return False
    return True


def _check(info: SessionInfo, *, ends: bool) -> None:
    if not (guards.may_end_lockdown if ends else guards.may_lock_down)(info):
        log.warning("Lockdown refused", extra=facts(user=info.user.id, ends=ends))
        raise HomeError("forbidden", MASTER_ONLY if ends else NOT_GUESTS)
