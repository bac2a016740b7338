"""Whoever looks after other people's accounts: a master user, confirmed, and looked at once more in the transaction."""

from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account.owners import Owners
from auth_service.people import masters
from shared.keeping.database import Store
from shared.words.internal import User
from shared.words.internal_people import Confirmed
from shared.words.messages import Who
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
            await masters.known(connection, user.id, looks_after)
        owner = await self._owners.confirmed(asked, issuer)
        return Asking(owner.user, asked.token, owner.who)

    async def hold(self, connection: AsyncConnection, asking: Asking) -> None:
        """They stay a master user who is signed in until the transaction ends.

        Raises HomeError: forbidden, sign-in-required.
        """
        await masters.held(connection, asking.user.id, looks_after)
        await self._owners.hold(connection, asking.token, asking.user.id)


def looks_after() -> HomeError:
    """Whoever is none."""
    return HomeError("forbidden", "Only the master user looks after other people's accounts.")
