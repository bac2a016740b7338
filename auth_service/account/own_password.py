"""Another password, for who knows the one that there is (ASVS 6.2.2, 6.2.3); every session ends with the old one."""

import logging
from collections.abc import Callable
from datetime import datetime

from auth_service.account import telling
from auth_service.confirming.errands import Errands
from auth_service.confirming.tries import FailedTries
from auth_service.home import room_rows
from auth_service.people import password_policy, user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.budgets import Windows
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.running.log import facts
from shared.words.internal import Budget, LoginAnswer, SessionInfo
from shared.words.internal_account import PasswordChange
from shared.words.messages import UserRef, Who
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_WRONG = (Budget(10, 3600),)
"""Of one account: whoever sits in a stolen session does not find the password out by trying."""


class OwnPassword:
    """Changes it. `wake` tells the gateways at once which sessions ended; `home_words` are the settings' own."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        passwords: Passwords,
        proof: Proof,
        errands: Errands,
        *,
        limits: session_rows.Limits,
        now: Callable[[], datetime],
        wake: Callable[[], None],
        home_words: tuple[str, ...] = (),
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._passwords = passwords
        self._proof = proof
        self._errands = errands
        self._limits = limits
        self._now = now
        self._wake = wake
        self._home_words = home_words
        self._failed = FailedTries("account:confirmation-failed", proof, now=now)
        self._wrong = Windows()

    async def change(self, request: PasswordChange, issuer: str) -> LoginAnswer:
        """The session that goes on, with a token of its own (ASVS 7.2.4); all others of this person have ended.

        Raises HomeError: sign-in-required, wrong-password, rate-limited, invalid-value (the new one), no-proof.
        """
        session = await self._sessions.verify(request.token)
        user = session.user
        who = Who(issuer=issuer, user=UserRef(id=user.id, name=user.name), address=request.address or None)
        stored = await self._check_current(request, session, who)
        if await self._passwords.verify(request.new, stored, known=True):
            raise HomeError("invalid-value", "This is the password that you have. Choose another one.", field="new")
        await self._check_new(request, session)
        hashed = await self._passwords.hash(request.new)
        async with telling.change(self._store, self._proof, who) as (connection, say):
            mine = await session_rows.find(connection, request.token, limits=self._limits, now=self._now())
            if mine is None:
                raise HomeError("sign-in-required")
            if not await user_rows.exchange_password(connection, user.id, stored, hashed):
                raise HomeError("wrong-password")  # another request changed it meanwhile
            await session_rows.end_all(connection, user.id, "password-changed", self._now())
            answer = await session_rows.start(
                connection,
                user,
                address=request.address,
                agent=request.agent,
                limits=self._limits,
                now=self._now(),
                own=mine.own,
            )
            await say("account:password-changed", f"user/{user.id}", user=user.name)
        self._wake()
        return answer

    async def sweep(self) -> None:
        """Tell of wrong passwords whose window is over."""
        await self._failed.sweep()

    async def _check_current(self, request: PasswordChange, session: SessionInfo, who: Who) -> str:
        """The stored hash that the current password fits. Raises wrong-password, or rate-limited without a look."""
        user = session.user
        if self._wrong.is_spent(user.id, _WRONG, self._now()):
            raise HomeError("rate-limited", "Too many wrong passwords. Try again in an hour.", retry_after=3600)
        async with self._store.read() as connection:
            account = await user_rows.find(connection, user.email)
        stored = account.password_hash if account is not None and account.user.id == user.id else None
        if not await self._passwords.verify(request.current, stored, known=True) or stored is None:
            self._wrong.count(user.id, _WRONG, self._now())
            log.warning("Confirmation failed", extra=facts(event="confirmation_failed", at=f"user/{user.id}"))
            self._errands.start(self._failed.tell(f"user/{user.id}", who, user), "report-failure")
            raise HomeError("wrong-password")
        return stored

    async def _check_new(self, request: PasswordChange, session: SessionInfo) -> None:
        async with self._store.read() as connection:
            rooms = await room_rows.names(connection)
        words = (*self._home_words, *rooms)
        try:
            password_policy.check(request.new, email=session.user.email, name=session.user.name, home_words=words)
        except HomeError as error:
            raise HomeError(error.slug, error.detail, field="new") from error
