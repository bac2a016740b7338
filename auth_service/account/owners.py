"""Whoever changes something of their own account: signed in, confirmed, and held until the transaction ends."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import telling
from auth_service.account.current_password import CurrentPassword
from auth_service.people import user_rows
from auth_service.signing_in import session_rows
from auth_service.signing_in.session_rows import Found, Limits
from auth_service.signing_in.sessions import Sessions
from shared.words.internal import Ending, LoginAnswer, SessionInfo, User
from shared.words.messages import Who
from shared.words.problem import HomeError


class Asked(Protocol):
    """What every request of these has: whose session it is, what was typed, and from where."""

    @property
    def token(self) -> str:
        """Of the session."""

    @property
    def current(self) -> str:
        """The password."""

    @property
    def code(self) -> str:
        """Of an app, or a recovery code, where there is a strong factor."""

    @property
    def address(self) -> str:
        """The browser's."""


class Owner(NamedTuple):
    """Who asks, as the record names them, and the stored hash that their password fits."""

    session: SessionInfo
    who: Who
    stored: str

    @property
    def user(self) -> User:
        """Whose account it is."""
        return self.session.user


class Owners:
    """Confirms them. `issuer` in its methods is the gateway that asks."""

    def __init__(
        self, sessions: Sessions, current: CurrentPassword, *, limits: Limits, now: Callable[[], datetime]
    ) -> None:
        self._sessions = sessions
        self._current = current
        self._limits = limits
        self._now = now

    async def signed_in(self, token: str) -> SessionInfo:
        """Their session. Raises HomeError("sign-in-required")."""
        return await self._sessions.verify(token)

    async def by_password(self, asked: Asked, issuer: str) -> Owner:
        """By the password alone so far. Raises HomeError: sign-in-required, wrong-password, rate-limited."""
        session = await self._sessions.verify(asked.token)
        who = telling.by(session.user, asked.address, issuer)
        return Owner(session, who, await self._current.check(asked.current, session, who))

    async def by_code(self, code: str, session: SessionInfo, who: Who) -> None:
        """And by a strong factor, where there is one: the last of all, since a code is used up by this.

        Raises HomeError("confirmation-failed"), with `field`.
        """
        await self._current.check_code(code, session, who)

    async def confirmed(self, asked: Asked, issuer: str) -> Owner:
        """By both. Raises as these two."""
        owner = await self.by_password(asked, issuer)
        await self.by_code(asked.code, owner.session, owner.who)
        return owner

    async def hold(self, connection: AsyncConnection, token: str, user_id: str) -> Found:
        """They may sign in, and are signed in, until the transaction ends. Raises HomeError("sign-in-required")."""
        lives = await user_rows.lock(connection, user_id)
        mine = await session_rows.find(connection, token, limits=self._limits, now=self._now(), lock=True)
        if not lives or mine is None:
            raise HomeError("sign-in-required")
        return mine

    async def go_on_alone(
        self, connection: AsyncConnection, mine: Found, user: User, why: Ending, *, address: str, agent: str
    ) -> LoginAnswer:
        """Every session of theirs ends, and a new one with a token of its own goes on for this one (ASVS 7.2.4)."""
        await session_rows.end_all(connection, user.id, why, self._now())
        return await session_rows.start(
            connection,
            user,
            address=address,
            agent=agent,
            limits=self._limits,
            now=self._now(),
            own=mine.own,
            proved_at=mine.proved_at,
        )
