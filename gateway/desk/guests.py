"""What guests may do, for API and pages alike: the master user's to say, by the word of this moment."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
from aiohttp import web

from gateway import keys
from gateway.door import sessions
from gateway.picture import guards
from shared.running.log import security
from shared.words.grant_times import outlook
from shared.words.internal import Grant, SessionInfo, UserRow
from shared.words.internal_grants import GrantsChange
from shared.words.languages import later
from shared.words.messages import Moment
from shared.words.names import Role
from shared.words.problem import HomeError

MASTER_ONLY = later("Only the master user sees and changes what others may do.")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One device of a guest's: whether it is theirs now, and when that changes next; None where it never does."""

    room: str
    device: str
    holds: bool
    changes: Moment | None


async def find(request: web.Request, user_id: str) -> UserRow:
    """A guest's account, for the master user. Raises sign-in-required, forbidden, not-found or auth-unreachable."""
    _check(sessions.signed_in(request))
    rows = (await request.app[keys.AUTH].users()).users
    found = next((row for row in rows if row.user.id == user_id), None)
    if found is None:
        raise HomeError("not-found", "There is no such user.")
    if found.user.role is not Role.GUEST:
        raise HomeError("not-found", "Grants are for guests; members and master users use every room.")
    return found


async def everybody(request: web.Request) -> tuple[UserRow, ...]:
    """Every account, for the master user. Raises as `find`."""
    _check(sessions.signed_in(request))
    return (await request.app[keys.AUTH].users()).users


async def change(
    request: web.Request, user_id: str, wanted: Iterable[Grant], *, instead_of: tuple[Grant, ...] | None = None
) -> UserRow:
    """Exactly these grants from now on, on every gateway; the account as it then stands.

    Raises HomeError: sign-in-required, forbidden, not-found, invalid-value (`field` says which), changed-meanwhile,
    no-proof, auth-unreachable.
    """
    info = sessions.signed_in(request)
    _check(info)
    info = await sessions.signed_in_afresh(request)
    _check(info)
    order = GrantsChange(grants=tuple(wanted), by=info.user.id, address=request.remote or "", instead_of=instead_of)
    row = await request.app[keys.AUTH].change_grants(user_id, order)
    # Here at once, without waiting for the broker's word.
    request.app[sessions.SESSIONS].outdate((user_id,))
    request.app[keys.HUB].begin_anew((user_id,))
    return row


def standing(grants: Iterable[Grant], now: datetime) -> Iterator[Standing]:
    """Each device once, in their order, with all of its grants together; pure."""
    by_place: dict[tuple[str, str], list[Grant]] = {}
    for grant in grants:
        by_place.setdefault((grant.room, grant.device), []).append(grant)
    for (room, device), theirs in by_place.items():
        found = outlook(theirs, now)
        yield Standing(room=room, device=device, holds=found.holds, changes=found.changes)


def _check(info: SessionInfo) -> None:
    if not guards.may_manage_users(info):
        security("forbidden", user=info.user.id, about="users")
        raise HomeError("forbidden", MASTER_ONLY)
