"""Whoever looks after other people's accounts: a master user, confirmed, and looked at once more in the transaction."""

from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account.owners import Owners
from auth_service.people import user_rows
from shared.keeping.database import Store
from shared.words.internal import User
from shared.words.internal_people import Confirmed
from shared.words.messages import Who
from shared.words.names import Role
from shared.words.problem import HomeError


class Asking(NamedTuple):
    """A master user who was confirmed a moment ago, as the record names them."""

    user: User
    token: str
    who: Who


class Masters:
    """Confirms them as every change of an account is confirmed: by password, and code or fresh proof."""

    def __init__(self, store: Store, owners: Owners) -> None:
        self._store = store
        self._owners = owners

    async def confirmed(self, asked: Confirmed, issuer: str) -> Asking:
        """Raises HomeError: sign-in-required, forbidden, wrong-password, rate-limited, confirmation-failed."""
        user = (await self._owners.signed_in(asked.token)).user
        async with self._store.read() as connection:
            await known(connection, user.id)
        owner = await self._owners.confirmed(asked, issuer)
        return Asking(owner.user, asked.token, owner.who)

    async def hold(self, connection: AsyncConnection, asking: Asking) -> None:
        """They stay a master user who is signed in until the transaction ends.

        Raises HomeError: forbidden, sign-in-required.
        """
        await held(connection, asking.user.id)
        await self._owners.hold(connection, asking.token, asking.user.id)


async def held(connection: AsyncConnection, user_id: str) -> User:
    """The master user of that id, who stays one until the transaction ends. Raises HomeError("forbidden")."""
    return await known(connection, user_id, lock=True)


async def known(connection: AsyncConnection, user_id: str, *, lock: bool = False) -> User:
    """The master user of that id, as it stands just now. Raises HomeError("forbidden")."""
    row = await user_rows.row_of(connection, user_id, lock=lock)
    if row is None or row.disabled or row.user.role is not Role.MASTER:
        raise HomeError("forbidden", "Only the master user looks after other people's accounts.")
    return row.user
