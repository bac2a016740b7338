"""Demanding a strong factor of everyone, for API and pages alike: the master user's, who has shown one just now.

Each raises HomeError: sign-in-required, forbidden, auth-unreachable.
"""

from aiohttp import web

from gateway import keys
from gateway.door import limits, sessions
from gateway.picture import guards
from shared.words.internal import SessionInfo
from shared.words.internal_proofs import DemandChange, DemandState
from shared.words.languages import later
from shared.words.problem import HomeError

MASTER_ONLY = later("Only the master user demands that of everyone.")


async def state(request: web.Request) -> DemandState:
    """Whether it is demanded, and who has none."""
    _check(sessions.signed_in(request))
    return await request.app[keys.AUTH].factor_demand()


async def change(request: web.Request, *, demanded: bool) -> DemandState:
    """What then stands, on every gateway within a second. Also raises rate-limited, step-up-required, no-proof."""
    info = sessions.signed_in(request)
    limits.hit(request, "password", f"session:{info.id}")
    _check(info)
    wanted = DemandChange(token=sessions.token_of(request), demanded=demanded, address=request.remote or "")
    return await request.app[keys.AUTH].demand_factor(wanted)


def _check(info: SessionInfo) -> None:
    if not guards.may_manage_users(info):
        raise HomeError("forbidden", MASTER_ONLY)
