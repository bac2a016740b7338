"""What becomes of somebody's rights: the one way for the pages and for the hub's own command, in a transaction.

A home keeps one master user who may sign in, whoever asks at the same moment: they are locked before they are counted.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.home import window_rows
from auth_service.people import changed_rights, erasure_rows, invitation_rows, user_rows
from auth_service.signing_in import session_rows
from shared.words.internal import User
from shared.words.internal_recipients import Erasure
from shared.words.names import Role
from shared.words.problem import HomeError

_REACH = {Role.GUEST: 0, Role.MEMBER: 1, Role.MASTER: 2}
"""Who may more."""


async def disable(connection: AsyncConnection, user: User, now: datetime) -> None:
    """No sign-in from now on, of a user who might; sessions, tokens, invitations and
    windows for machines end (ASVS 7.4.2).

    Raises HomeError("last-master").
    """
    await _leave_a_master(connection, user)
    await user_rows.disable(connection, user.id, now)
    await session_rows.end_all(connection, user.id, "disabled", now)
    await invitation_rows.withdraw_of(connection, user.id)
    await window_rows.close_of(connection, user.id)


async def change_role(connection: AsyncConnection, user: User, role: Role, now: datetime) -> None:
    """Another role of who may sign in. Who may less by it is signed out; what a guest was granted goes with being one.

    Raises HomeError("last-master").
    """
    await _leave_a_master(connection, user)
    await change_role_of_disabled(connection, user, role)
    if _REACH[role] < _REACH[user.role]:
        await session_rows.end_all(connection, user.id, "role-changed", now)
    if user.role is Role.MASTER:
        await invitation_rows.withdraw_of(connection, user.id)
        await window_rows.close_of(connection, user.id)
    await changed_rights.note(connection, user.id)


async def change_role_of_disabled(connection: AsyncConnection, user: User, role: Role) -> None:
    """The same of who may not sign in, and so has neither sessions nor a say."""
    await user_rows.set_role(connection, user.id, role)
    if user.role is Role.GUEST:
        await user_rows.replace_grants(connection, user.id, ())


async def erase(connection: AsyncConnection, user: User, now: datetime, *, disabled: bool) -> Erasure:
    """The account goes, with all that the database has of the person; what the record is to lose of them.

    Raises HomeError("last-master").
    """
    if not disabled:
        await disable(connection, user, now)
    await invitation_rows.withdraw_for(connection, user.email)
    erasure = await erasure_rows.note(connection, user)
    await user_rows.delete_disabled(connection, user.id)
    await changed_rights.note_registry(connection)  # what they had pending goes with them
    return erasure


async def _leave_a_master(connection: AsyncConnection, user: User) -> None:
    if user.role is Role.MASTER and await user_rows.count_masters(connection) <= 1:
        raise HomeError("last-master")
