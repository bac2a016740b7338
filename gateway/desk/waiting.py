"""What rooms would loosen, for API and pages alike: the master user's to decide, by the word of this moment."""

from aiohttp import web

from gateway import keys
from gateway.door import sessions
from gateway.picture import guards
from shared.running.log import security
from shared.words.internal import SessionInfo
from shared.words.internal_waiting import Decision, WaitingDecision, WaitingDevice
from shared.words.problem import HomeError

MASTER_ONLY = "Only the master user decides what a room may loosen."


async def everything(request: web.Request) -> tuple[WaitingDevice, ...]:
    """What waits, by room and device. Raises HomeError: sign-in-required, forbidden, auth-unreachable."""
    _check(sessions.signed_in(request))
    return (await request.app[keys.AUTH].waiting()).waiting


async def decide(request: web.Request, room: str, device: str, *, decision: Decision, digest: str) -> None:
    """Loosen it, or leave it as it is for good: exactly what the `digest` names.

    Raises HomeError: sign-in-required, unknown-device (what one may not see), forbidden, not-found (nothing waits),
    changed-meanwhile, no-proof, auth-unreachable.
    """
    _check_of(request, sessions.signed_in(request), room, device)
    info = await sessions.signed_in_afresh(request)
    _check_of(request, info, room, device)
    wanted = WaitingDecision(decision=decision, digest=digest, by=info.user.id, address=request.remote or "")
    await request.app[keys.REGISTRAR].decide(room, device, wanted)


def _check_of(request: web.Request, info: SessionInfo, room: str, device: str) -> None:
    now = guards.local_now(request.app[keys.CONFIG].zone)
    if request.app[keys.HOME].device(room, device) is None or not guards.may_see(info, room, device, now):
        raise HomeError("unknown-device")
    _check(info)


def _check(info: SessionInfo) -> None:
    if not guards.may_look_after(info):
        security("forbidden", user=info.user.id, about="waiting")
        raise HomeError("forbidden", MASTER_ONLY)
