"""Taking back what waits for a second person, for API and pages alike: whoever may act on the device may say no."""

from aiohttp import web

from gateway import keys
from gateway.desk import asking
from gateway.door import sessions
from gateway.picture import guards
from shared.words.internal import SessionInfo
from shared.words.problem import HomeError


async def take_back(request: web.Request, room: str, device: str, wish: str) -> None:
    """Have nothing come of what is pending there.

    Raises HomeError: sign-in-required, rate-limited, unknown-device (also for what one may not see), forbidden,
    wish-over, no-proof, auth-unreachable.
    """
    info = sessions.signed_in_owing(request)
    try:
        _look(request, info, room, device, wish)
    except HomeError:
        asking.count(request)  # what makes things safer is never refused by a limit
        raise
    info = await sessions.signed_in_afresh(request)
    _look(request, info, room, device, wish)
    await request.app[keys.REGISTRAR].take_back(room, device, wish, by=info.user.id, address=request.remote or "")


def _look(request: web.Request, info: SessionInfo, room: str, device: str, wish: str) -> None:
    """Whether there is such a wish, and this person may say no to it."""
    home, now = request.app[keys.HOME], guards.local_now(request.app[keys.CONFIG].zone)
    if home.device(room, device) is None or not guards.may_see(info, room, device, now):
        raise HomeError("unknown-device")
    standing = next((one for one in home.pending.of(room, device) if one.id == wish), None)
    if standing is None:
        raise HomeError("wish-over")
    if standing.by.id != info.user.id and not guards.may_act(info, room, device, standing.action, now):
        raise HomeError("forbidden")
