"""Sessions as a list, one's own or, for the master user, anybody's: shown and ended, for API and pages alike."""

from aiohttp import web

from gateway import keys
from gateway.desk import sign_in
from gateway.door import sessions
from gateway.picture import guards
from shared.words.internal import SessionInfo, SessionRow
from shared.words.problem import HomeError


async def of(request: web.Request, user_id: str) -> tuple[SessionRow, ...]:
    """Somebody's live sessions, newest first. Raises sign-in-required, forbidden or auth-unreachable."""
    _check(sessions.signed_in_owing(request), user_id)
    return (await request.app[keys.AUTH].sessions(user_id)).sessions


async def end(request: web.Request, session_id: str, user_id: str) -> None:
    """End one of theirs, here at once and everywhere within a second; ending this one is signing out.

    Raises sign-in-required, forbidden, not-found (also for somebody else's) or auth-unreachable.
    """
    info = sessions.signed_in_owing(request)
    _check(info, user_id)
    if session_id == info.id and user_id == info.user.id:
        await sign_in.sign_out(request)
        return
    await request.app[keys.AUTH].end_session(session_id, user=user_id, by=info.user.id, address=request.remote or "")
    sign_in.end_here(request, (session_id,))


async def end_all(request: web.Request, user_id: str) -> int:
    """End all of theirs but this one; how many there were. Raises as `end`, but for one that was over by itself."""
    info = sessions.signed_in_owing(request)
    others = [row.id for row in await of(request, user_id) if row.id != info.id]
    ended = 0
    for session_id in others:
        try:
            await end(request, session_id, user_id)
        except HomeError as error:
            if error.slug != "not-found":  # somebody signed out there meanwhile: the others are still to end
                raise
        else:
            ended += 1
    return ended


def _check(info: SessionInfo, user_id: str) -> None:
    if user_id != info.user.id and not guards.may_manage_users(info):
        raise HomeError("forbidden", "Other people's sessions are the master user's to look after.")
