"""Invitations, for API and pages alike: the master user's to make and withdraw, anybody's to take who has the code."""

from aiohttp import web

from gateway import keys
from gateway.desk.own_factors import counted
from gateway.door import csrf, sessions
from gateway.picture import guards
from shared.door.web import USER
from shared.running.log import security
from shared.words.internal import SessionInfo, User
from shared.words.internal_people import InvitationRow, InvitationTaken, Invite
from shared.words.languages import Language
from shared.words.names import Role
from shared.words.problem import HomeError


async def invite(
    request: web.Request, *, current: str, code: str = "", email: str, name: str, role: Role, language: Language | None
) -> InvitationRow:
    """A letter to somebody, with a link to these pages and a code.

    Raises HomeError: sign-in-required, forbidden, wrong-password, confirmation-failed, rate-limited, invalid-value and
    already-exists (`field` names which), no-proof, auth-unreachable.
    """
    _master(request)
    wanted = Invite(
        token=counted(request),
        current=current,
        code=code,
        email=email,
        name=name,
        role=role,
        language=language,
        home=csrf.origin_of(request),
        address=request.remote or "",
    )
    return await request.app[keys.AUTH].invite(wanted)


async def of_home(request: web.Request) -> tuple[InvitationRow, ...]:
    """Those that may still be taken, newest first. Raises sign-in-required, forbidden or auth-unreachable."""
    _master(request)
    return (await request.app[keys.AUTH].invitations()).invitations


async def withdraw(request: web.Request, invitation_id: str) -> None:
    """Take one back. Raises sign-in-required, forbidden, not-found, no-proof or auth-unreachable."""
    info = _master(request)
    await request.app[keys.AUTH].withdraw(invitation_id, by=info.user.id, address=request.remote or "")


async def take(request: web.Request, invitation_id: str, *, code: str, new: str) -> User:
    """Whoever has the code becomes a user, who then signs in like everybody.

    Raises HomeError: confirmation-failed, always alike, invalid-value (`field` "new"), no-proof, auth-unreachable.
    """
    asked = InvitationTaken(id=invitation_id, code=code, new=new, address=request.remote or "")
    user = (await request.app[keys.AUTH].take_invitation(asked)).user
    request[USER] = user.id
    return user


def _master(request: web.Request) -> SessionInfo:
    info = sessions.signed_in(request)
    if not guards.may_manage_users(info):
        security("forbidden", user=info.user.id, about="users")
        raise HomeError("forbidden", "Only the master user invites people.")
    return info
