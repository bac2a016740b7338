"""API tokens, for API and pages alike: made for devices that one may use oneself, listed and revoked.

What a token may is looked at again with each of its calls; here only what could never be is refused.
"""

from datetime import datetime

from aiohttp import web

from gateway import keys
from gateway.desk.sign_in import end_here
from gateway.door import sessions
from gateway.picture import guards
from shared.words.internal_tokens import TokenMade, TokenRow, TokenWish
from shared.words.problem import HomeError
from shared.words.scopes import Allowed


async def make(
    request: web.Request, *, current: str, code: str = "", name: str, scope: tuple[Allowed, ...], expires_at: datetime
) -> TokenMade:
    """A new token of whoever is signed in; nobody can be told it again.

    Raises HomeError: sign-in-required, unknown-device (also for what one may not see), wrong-password, rate-limited,
    confirmation-failed, invalid-value (`field` names which), no-proof, auth-unreachable.
    """
    info = sessions.signed_in(request)
    now = guards.local_now(request.app[keys.CONFIG].zone)
    for one in scope:
        view = request.app[keys.HOME].view(one.room, one.device)
        used = guards.as_used(info, view, now) if view is not None else None
        if used is None:
            raise HomeError("unknown-device", f"There is no device {one.room}/{one.device}.", field="scope")
        if not_its := [action for action in one.actions if action not in used.actions]:
            offered = ", ".join(used.actions) or "no action at all"
            said = f"{one.room}/{one.device} offers you {offered}, and not {not_its[0]}."
            raise HomeError("invalid-value", said, field="scope")
    wanted = TokenWish(
        session=sessions.token_of(request),
        current=current,
        code=code,
        name=name,
        scope=scope,
        expires_at=expires_at,
        address=request.remote or "",
    )
    return await request.app[keys.AUTH].make_token(wanted)


async def mine(request: web.Request) -> tuple[TokenRow, ...]:
    """The live tokens of whoever is signed in, newest first. Raises sign-in-required or auth-unreachable."""
    return (await request.app[keys.AUTH].tokens(sessions.signed_in(request).user.id)).tokens


async def revoke(request: web.Request, token_id: str) -> None:
    """Revoke one of one's own: dead here at once, and everywhere within a second.

    Raises sign-in-required, not-found (also for somebody else's) or auth-unreachable.
    """
    info = sessions.signed_in_owing(request)
    await request.app[keys.AUTH].revoke_token(token_id, user=info.user.id, address=request.remote or "")
    end_here(request, (token_id,))
