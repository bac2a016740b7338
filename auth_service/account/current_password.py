"""The password that somebody has, asked for once more before they change their account (ASVS 6.2.3, 7.5.1)."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.confirming.errands import Errands
from auth_service.confirming.tries import FailedTries
from auth_service.factors import strong
from auth_service.factors.recovery_used import RecoveryUsed
from auth_service.factors.strong import StrongFactors
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in.budgets import SLIPS, Windows
from auth_service.signing_in.guesses import Guesses
from auth_service.signing_in.session_rows import is_proved
from shared.keeping.database import Store
from shared.running.log import facts
from shared.words.internal import Budget, SessionInfo
from shared.words.languages import later
from shared.words.messages import Who
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

NO_FACTOR = later("You have no passkey and no authenticator app yet. Add one on your account page.")
_WRONG_CODE = later("Type the code that your app shows now, or a recovery code. Each works once.")
T = TypeVar("T")
_OF_SESSION = (Budget(5, 3600),)
"""Wrong ones in one session: whoever sits in a stolen one does not find the password out by trying."""
_OF_ACCOUNT = (Budget(10, 3600),)
"""Of all its sessions: past that, one is still heard in which no more were wrong than an owner's slips."""
_SLIPS = (Budget(SLIPS, 3600),)


class CurrentPassword:
    """Checks it, and counts wrong ones."""

    def __init__(
        self, store: Store, passwords: Passwords, proof: Proof, errands: Errands, *, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._errands = errands
        self._now = now
        self._failed = FailedTries("account:confirmation-failed", proof, now=now)
        self._wrong = Windows()
        self._guesses = Guesses()
        self._strong = StrongFactors(store, passwords, now=now)
        self._recovery = RecoveryUsed(proof)

    async def check(self, typed: str, session: SessionInfo, who: Who) -> str:
        """The stored hash that it fits. Raises wrong-password, or rate-limited without a look."""
        user = session.user
        if not self._hears(session):
            raise HomeError("rate-limited", "Too many wrong passwords. Try again in an hour.", retry_after=3600)
        async with self._store.read() as connection:
            account = await user_rows.find(connection, user.email)
        stored = account.password_hash if account is not None and account.user.id == user.id else None
        if not await self._passwords.verify(typed, stored, known=True) or stored is None:
            self._heard_wrong(session)
            log.warning("Confirmation failed", extra=facts(event="confirmation_failed", at=f"user/{user.id}"))
            self._errands.start(self._failed.tell(f"user/{user.id}", who, user), "report-failure")
            raise HomeError("wrong-password")
        return stored

    def _hears(self, session: SessionInfo) -> bool:
        """Whether a password is looked at: what a stolen session used up is not the owner's, in another."""
        now, user_id = self._now(), session.user.id
        of_session = _SLIPS if self._wrong.is_spent(user_id, _OF_ACCOUNT, now) else _OF_SESSION
        return not self._wrong.is_spent((user_id, session.id), of_session, now)

    def _heard_wrong(self, session: SessionInfo) -> None:
        now, user_id = self._now(), session.user.id
        self._wrong.count((user_id, session.id), _OF_SESSION, now)
        self._wrong.count(user_id, _OF_ACCOUNT, now)

    async def check_code(self, typed: str, session: SessionInfo, who: Who) -> None:
        """And, where there is a strong factor, one that was shown within the last minutes, or a code of an app or a
        recovery code, which is used up by this.

        So whoever has a session and the password does not change what else a sign-in takes (ASVS 6.4.4, 7.5.1).
        Raises confirmation-failed, with `field`.
        """
        if is_proved(session, self._now()) or not await self._strong.has(session.user.id):
            return
        await self.spend_code(typed, session, who, _nothing)

    async def spend_code(
        self, typed: str, session: SessionInfo, who: Who, earned: Callable[[AsyncConnection], Awaitable[T]]
    ) -> tuple[str, T]:
        """Use up a code of an app, or a recovery code, of which a letter tells; which of them it was, and what it has
        `earned`: in one transaction, so that a code which is taken away meanwhile earns nothing.

        Wrong ones are counted by session: whoever sits in a stolen one keeps the owner out of none.

        Raises confirmation-failed, with `field`, or step-up-required for who has no strong factor at all.
        """
        user, key = session.user, session.id
        judged = await self._strong.judge(user.id, typed)
        if not judged.strong:
            raise HomeError("step-up-required", NO_FACTOR)
        fitting = self._guesses.heard(judged.fitting, key, self._now())
        if fitting is None:
            raise self._wrong_code(key)
        async with self._store.write() as connection:
            made = await earned(connection)
            if not await strong.spend(connection, user.id, fitting, self._now()):
                raise self._wrong_code(key)
            if fitting.code_hash:  # whatever comes of what it was shown for
                await self._recovery.tell(connection, user, who)
        return fitting.name, made

    def _wrong_code(self, key: str) -> HomeError:
        self._guesses.count(key, self._now())
        return HomeError("confirmation-failed", _WRONG_CODE, field="code")

    async def sweep(self) -> None:
        """Tell of wrong passwords whose window is over."""
        await self._failed.sweep()


async def _nothing(_connection: AsyncConnection) -> None:
    """It opens what comes next, in a transaction of its own."""
