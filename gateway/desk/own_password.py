"""Changing one's password, for API and pages alike: counted per session, and the browser goes on in a new session."""

import logging

from aiohttp import web

from gateway import keys
from gateway.desk.own_factors import counted
from gateway.desk.sign_in import AGENT_CHARACTERS, go_on_after
from gateway.door import sessions
from shared.running.log import facts
from shared.words.internal_account import PasswordChange
from shared.words.problem import HomeError

log = logging.getLogger(__name__)


async def change(request: web.Request, *, current: str, code: str = "", new: str) -> None:
    """Every session of this person ends, on every gateway; here a new one begins, with a new CSRF token.

    Raises HomeError: sign-in-required, wrong-password, confirmation-failed, invalid-value (`field` names which),
    rate-limited, no-proof, auth-unreachable.
    """
    info = sessions.signed_in_owing(request)
    wanted = PasswordChange(
        token=counted(request),
        current=current,
        code=code,
        new=new,
        address=request.remote or "",
        agent=request.headers.get("User-Agent", "")[:AGENT_CHARACTERS],
    )
    try:
        answer = await request.app[sessions.SESSIONS].begin(request.app[keys.AUTH].change_password(wanted))
    except HomeError as error:
        if error.slug == "wrong-password":
            log.warning("Wrong password", extra=facts(user=info.user.id, address=request.remote or "-"))
        raise
    await go_on_after(request, info, answer)
    log.info("Password changed", extra=facts(user=info.user.id))
