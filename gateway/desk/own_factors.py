"""One's own authenticator apps and recovery codes, for API and pages alike: counted per session.

Each raises HomeError: sign-in-required, auth-unreachable, and what stands with it.
"""

from aiohttp import web

from gateway import keys
from gateway.door import limits, sessions
from shared.words.internal_factors import (
    FactorBegin,
    FactorBegun,
    FactorConfirm,
    FactorRemove,
    Factors,
    RecoveryAsked,
)


async def of(request: web.Request) -> Factors:
    """What whoever asks has."""
    return await request.app[keys.AUTH].factors(sessions.token_of(request))


async def begin(request: web.Request, *, current: str, code: str = "", name: str) -> FactorBegun:
    """What goes into the app. Also raises wrong-password, rate-limited, invalid-value."""
    token = counted(request)
    wanted = FactorBegin(token=token, current=current, code=code, name=name, address=request.remote or "")
    return await request.app[keys.AUTH].begin_factor(wanted)


async def confirm(request: web.Request, factor_id: str, code: str) -> tuple[str, ...]:
    """The first code of it; recovery codes where it is the first factor. Also raises confirmation-failed, no-proof."""
    token = counted(request)
    wanted = FactorConfirm(token=token, id=factor_id, code=code, address=request.remote or "")
    return (await request.app[keys.AUTH].confirm_factor(wanted)).codes


async def remove(request: web.Request, factor_id: str, *, current: str, code: str = "") -> None:
    """Take one away. Also raises wrong-password, rate-limited, not-found, no-proof."""
    token = counted(request)
    wanted = FactorRemove(token=token, id=factor_id, current=current, code=code, address=request.remote or "")
    await request.app[keys.AUTH].remove_factor(wanted)


async def renew_recovery(request: web.Request, *, current: str, code: str = "") -> tuple[str, ...]:
    """Ten other recovery codes. Also raises wrong-password, rate-limited, invalid-value, no-proof."""
    wanted = RecoveryAsked(token=counted(request), current=current, code=code, address=request.remote or "")
    return (await request.app[keys.AUTH].renew_recovery(wanted)).codes


def counted(request: web.Request) -> str:
    """The token of who changes their account: counted per session, as passwords and codes are typed there."""
    info = sessions.signed_in_owing(request)
    limits.hit(request, "password", f"session:{info.id}")
    return sessions.token_of(request)
