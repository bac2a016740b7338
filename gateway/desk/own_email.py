"""Changing one's e-mail address, for API and pages alike: counted per session; the browser goes on in a new session."""

import logging

from aiohttp import web

from gateway import keys
from gateway.desk.own_factors import counted
from gateway.desk.sign_in import AGENT_CHARACTERS, go_on_after
from gateway.door import sessions
from shared.running.log import facts
from shared.words.internal import User
from shared.words.internal_account import EmailConfirm, EmailState, EmailWanted, EmailWish

log = logging.getLogger(__name__)


async def state(request: web.Request) -> EmailState:
    """What is under way in this session. Raises sign-in-required or auth-unreachable."""
    sessions.signed_in(request)
    return await request.app[keys.AUTH].email_state(sessions.token_of(request))


async def begin(request: web.Request, *, email: str, current: str, code: str = "") -> EmailWanted:
    """Letters with a code go to both addresses; what was begun before is void.

    Raises HomeError: sign-in-required, factor-required, wrong-password, confirmation-failed and invalid-value (`field`
    names which), rate-limited, auth-unreachable.
    """
    sessions.signed_in(request)
    wish = EmailWish(token=counted(request), current=current, code=code, email=email, address=request.remote or "")
    return await request.app[keys.AUTH].begin_email(wish)


async def confirm(request: web.Request, *, old_code: str, new_code: str, code: str = "") -> User:
    """Every session of this person ends, on every gateway; here a new one begins, with a new CSRF token.

    Give the answer to `sign_in.remember`. Raises HomeError: sign-in-required, factor-required, confirmation-failed
    (`field` names which), rate-limited, no-proof, auth-unreachable.
    """
    info = sessions.signed_in(request)
    typed = EmailConfirm(
        token=counted(request),
        old_code=old_code,
        new_code=new_code,
        code=code,
        address=request.remote or "",
        agent=request.headers.get("User-Agent", "")[:AGENT_CHARACTERS],
    )
    answer = await request.app[sessions.SESSIONS].begin(request.app[keys.AUTH].confirm_email(typed))
    await go_on_after(request, info, answer)
    log.info("E-mail address changed", extra=facts(user=info.user.id))
    return answer.session.user
