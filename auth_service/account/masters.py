"""Whoever looks after other people's accounts: a master user, confirmed, and looked at once more in the transaction."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import telling
from auth_service.account.current_password import CurrentPassword
from auth_service.people import user_rows
from auth_service.signing_in import session_rows
from auth_service.signing_in.sessions import Sessions
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

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        current: CurrentPassword,
        *,
        limits: session_rows.Limits,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._current = current
        self._limits = limits
        self._now = now

    async def confirmed(self, asked: Confirmed, issuer: str) -> Asking:
        """Raises HomeError: sign-in-required, forbidden, wrong-password, rate-limited, confirmation-failed."""
        session = await self._sessions.verify(asked.token)
        async with self._store.read() as connection:
            user = await known(connection, session.user.id)
        who = telling.by(user, asked.address, issuer)
        await self._current.check(asked.current, session, who)
        await self._current.check_code(asked.code, session)
        return Asking(user, asked.token, who)

    async def hold(self, connection: AsyncConnection, asking: Asking) -> None:
        """They stay a master user who is signed in until the transaction ends.

        Raises HomeError: forbidden, sign-in-required.
        """
        await held(connection, asking.user.id)
        if not await session_rows.find(connection, asking.token, limits=self._limits, now=self._now(), lock=True):
            raise HomeError("sign-in-required")


async def held(connection: AsyncConnection, user_id: str) -> User:
    """The master user of that id, who stays one until the transaction ends. Raises HomeError("forbidden")."""
    return await known(connection, user_id, lock=True)


async def known(connection: AsyncConnection, user_id: str, *, lock: bool = False) -> User:
    """The master user of that id, as it stands just now. Raises HomeError("forbidden")."""
    row = await user_rows.row_of(connection, user_id, lock=lock)
    if row is None or row.disabled or row.user.role is not Role.MASTER:
        raise HomeError("forbidden", "Only the master user looks after other people's accounts.")
    return row.user
