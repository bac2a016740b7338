"""What a master user changes of somebody's account: name, role, whether they may sign in, and that it is no more."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import rights, telling
from auth_service.account.masters import Masters
from auth_service.account.telling import Say
from auth_service.people import changed_rights, distinct_names, user_rows
from auth_service.people.account_fields import checked_name
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.words.internal import UserRow
from shared.words.internal_people import Confirmed, UserChange
from shared.words.problem import HomeError


class Others:
    """Changes them. `wake` tells the gateways at once whose rights changed, and which sessions ended."""

    def __init__(
        self, store: Store, proof: Proof, masters: Masters, *, now: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        self._store = store
        self._proof = proof
        self._masters = masters
        self._now = now
        self._wake = wake

    async def change(self, user_id: str, asked: UserChange, issuer: str) -> UserRow:
        """The user as they then stand. What stands already is changed and recorded no second time.

        Raises HomeError: sign-in-required, forbidden, wrong-password, rate-limited, confirmation-failed, not-found,
        invalid-value (`field` names which), last-master, no-proof.
        """
        name = _checked(asked.name) if asked.name is not None else None
        asking = await self._masters.confirmed(asked, issuer)
        async with telling.change(self._store, self._proof, asking.who) as (connection, say):
            # All of them first, in one order: two that change each other do not wait for each other.
            await user_rows.count_masters(connection)
            await self._masters.hold(connection, asking)
            row = await _existing(connection, user_id)
            if name is not None and name != row.user.name:
                await distinct_names.check(connection, name, of=user_id)
                await user_rows.set_name(connection, user_id, name)
                await changed_rights.note(connection, user_id)
                await say("account:changed", f"user/{user_id}", user=row.user.name, name=name)
            await self._change_rights(connection, row, asked, say, called=name or row.user.name)
            after = await _existing(connection, user_id)
        self._wake()
        return after

    async def erase(self, user_id: str, asked: Confirmed, issuer: str) -> None:
        """The account is no more, here and on every gateway; what is told of it names nobody but who did it.

        The record loses them next (alert_service/record/departed.py), so nobody erases themselves: it would not say by
        whom. Raises as `change`, and forbidden for that.
        """
        asking = await self._masters.confirmed(asked, issuer)
        if asking.user.id == user_id:
            raise HomeError("forbidden", "Another master user has to erase you, so that the record says who did.")
        async with telling.change(self._store, self._proof, asking.who) as (connection, say):
            await user_rows.count_masters(connection)
            await self._masters.hold(connection, asking)
            row = await _existing(connection, user_id)
            await rights.erase(connection, row.user, self._now(), disabled=row.disabled)
            await say("account:erased", f"user/{user_id}")
        self._wake()

    async def _change_rights(
        self, connection: AsyncConnection, row: UserRow, asked: UserChange, say: Say, *, called: str
    ) -> None:
        """Role first, so that who is let in again comes in with the new one."""
        user, where = row.user, f"user/{row.user.id}"
        if asked.role is not None and asked.role is not user.role:
            if row.disabled:
                await rights.change_role_of_disabled(connection, user, asked.role)
            else:
                await rights.change_role(connection, user, asked.role, self._now())
            await say("account:role-changed", where, user=called, was=user.role.value, role=asked.role.value)
        if asked.disabled is None or asked.disabled is row.disabled:
            return
        if asked.disabled:
            current = (await _existing(connection, user.id)).user
            await rights.disable(connection, current, self._now())
            await say("account:disabled", where, user=called)
        else:
            await user_rows.enable(connection, user.id)
            await say("account:enabled", where, user=called)


async def _existing(connection: AsyncConnection, user_id: str) -> UserRow:
    row = await user_rows.row_of(connection, user_id, lock=True)
    if row is None:
        raise HomeError("not-found", "There is no such user.")
    return row


def _checked(name: str) -> str:
    try:
        return checked_name(name)
    except HomeError as error:
        raise HomeError(error.slug, error.detail, field="name") from error
