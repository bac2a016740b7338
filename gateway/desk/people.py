"""Other people's accounts, for API and pages alike: the master user's to change; and one's own name and language."""

from aiohttp import web

from gateway import keys
from gateway.desk.own_factors import counted
from gateway.door import sessions
from gateway.picture import guards
from shared.running.log import security
from shared.words.internal import User, UserRow
from shared.words.internal_people import Confirmed, ProfileChange, UserChange
from shared.words.languages import Language
from shared.words.names import Role
from shared.words.problem import HomeError


async def find(request: web.Request, user_id: str) -> UserRow:
    """An account, for the master user. Raises sign-in-required, forbidden, not-found or auth-unreachable."""
    _check(request)
    rows = (await request.app[keys.AUTH].users()).users
    found = next((row for row in rows if row.user.id == user_id), None)
    if found is None:
        raise HomeError("not-found", "There is no such user.")
    return found


async def change(
    request: web.Request,
    user_id: str,
    *,
    current: str,
    code: str = "",
    name: str | None = None,
    role: Role | None = None,
    disabled: bool | None = None,
) -> UserRow:
    """Another name or role, or whether they may sign in; None stays as it is. The account as it then stands.

    Raises HomeError: sign-in-required, forbidden, wrong-password, confirmation-failed, rate-limited, not-found,
    invalid-value (`field` names which), last-master, no-proof, auth-unreachable.
    """
    _check(request)
    wanted = UserChange(
        token=counted(request),
        current=current,
        code=code,
        name=name,
        role=role,
        disabled=disabled,
        address=request.remote or "",
    )
    row = await request.app[keys.AUTH].change_user(user_id, wanted)
    _tell(request, user_id)
    return row


async def erase(request: web.Request, user_id: str, *, current: str, code: str = "") -> None:
    """The account is no more. Raises as `change`."""
    _check(request)
    asked = Confirmed(token=counted(request), current=current, code=code, address=request.remote or "")
    await request.app[keys.AUTH].erase_user(user_id, asked)
    _tell(request, user_id)


async def change_profile(request: web.Request, *, name: str, language: Language | None) -> User:
    """How one is called and spoken to. Raises sign-in-required, invalid-value, no-proof or auth-unreachable."""
    info = sessions.signed_in(request)
    wanted = ProfileChange(token=sessions.token_of(request), name=name, language=language, address=request.remote or "")
    user = await request.app[keys.AUTH].change_profile(wanted)
    request.app[sessions.SESSIONS].outdate((info.user.id,))
    return user


def _tell(request: web.Request, user_id: str) -> None:
    """Here at once, without waiting for the broker's word."""
    request.app[sessions.SESSIONS].outdate((user_id,))
    request.app[keys.HUB].begin_anew((user_id,))


def _check(request: web.Request) -> None:
    info = sessions.signed_in(request)
    if not guards.may_manage_users(info):
        security("forbidden", user=info.user.id, about="users")
        raise HomeError("forbidden", "Only the master user looks after other people's accounts.")
