"""Lockdown as people ask for it: signed in, and with the password, or a code that was mailed for this alone.

Master users and members may begin one, with either: mail may be what fails. A master user alone ends it, with both; who
has a strong factor shows that in the place of a mailed code (ASVS 6.4.4).
"""

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.confirming import confirmations, letters
from auth_service.confirming.code_rows import Claim
from auth_service.confirming.codes import Binding, Purpose
from auth_service.confirming.confirmations import Confirmations, Send
from auth_service.confirming.errands import Errands
from auth_service.confirming.tries import FailedTries
from auth_service.factors import strong
from auth_service.factors.recovery_used import RecoveryUsed
from auth_service.factors.strong import Fitting, StrongFactors
from auth_service.home.lockdown import Lockdown
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.budgets import Windows
from auth_service.signing_in.guesses import Guesses
from auth_service.signing_in.session_rows import is_proved
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.running.log import facts
from shared.words.internal import Budget, LockdownChange, LockdownCodeRequest, LockdownState, SessionInfo, User
from shared.words.languages import DEFAULT, Language, later, tongue
from shared.words.messages import UserRef, Who
from shared.words.names import Role
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_MAY_BEGIN = (Role.MASTER, Role.MEMBER)
_MAY_END = (Role.MASTER,)
_MASTERS = later("Only a master user ends a lockdown.")
_NOT_GUESTS = later("Master users and members lock the home down.")
_Used = Claim | Fitting | None
"""What confirmed it besides a password, to be used up: a mailed code, or a strong one."""
_NO_LETTER = later("Your passkey or a code of your app ends it, together with your password; no code comes by mail.")
_WRONG_PASSWORDS = (Budget(10, 3600),)
"""Of one session: whoever sits in a stolen one does not find the password out by trying."""


class ConfirmedLockdown:
    """Both steps, the code and the change. `issuer` in its methods is the gateway that asks."""

    def __init__(
        self,
        store: Store,
        lockdown: Lockdown,
        sessions: Sessions,
        passwords: Passwords,
        proof: Proof,
        errands: Errands,
        *,
        send: Send,
        limits: session_rows.Limits,
        now: Callable[[], datetime],
        language: Language = DEFAULT,
    ) -> None:
        self._store = store
        self._lockdown = lockdown
        self._sessions = sessions
        self._passwords = passwords
        self._errands = errands
        self._confirmations = Confirmations(store, passwords, send=send, now=now)
        self._limits = limits
        self._now = now
        self._language = language
        self._strong = StrongFactors(store, passwords, now=now)
        self._recovery = RecoveryUsed(proof)
        self._failed = FailedTries("account:confirmation-failed", proof, now=now)
        self._wrong = Windows()
        self._guesses = Guesses()

    async def ask_code(self, request: LockdownCodeRequest) -> None:
        """Mail the code for what can be done next: begin, or end. Raises HomeError: sign-in-required, forbidden,
        step-up-required (who has a strong factor ends it by that).
        """
        session = await self._sessions.verify(request.token)
        ends = (await self._lockdown.state()).active
        _check(session.user, ends=ends)
        if ends and await self._strong.has(session.user.id):
            raise HomeError("step-up-required", _NO_LETTER)
        issued = await self._confirmations.issue(_binding(session, ends=ends), address=request.address)
        letter = letters.lockdown_letter(
            to=session.user,
            code=issued.code,
            address=request.address,
            message_id=issued.id,
            ends=ends,
            tongue=tongue(session.user.language or self._language),
        )
        self._errands.start(self._confirmations.deliver(issued, letter), "mail-code")

    async def change(self, request: LockdownChange, issuer: str) -> LockdownState:
        """Begin a lockdown, or end it; what stands already is asked no code for.

        Raises HomeError: sign-in-required, forbidden, confirmation-failed (whatever was wrong), no-proof (ending only).
        """
        session = await self._sessions.verify(request.token)
        user, ends = session.user, not request.active
        _check(user, ends=ends)
        stands = await self._lockdown.state()
        if stands.active == request.active:
            return stands
        who = Who(issuer=issuer, user=UserRef(id=user.id, name=user.name), address=request.address or None)
        try:
            account, used = await self._confirm(request, session)

            async def still(connection: AsyncConnection) -> None:
                await self._check_still(connection, request, account, used)
                if isinstance(used, Fitting) and used.code_hash:
                    await self._recovery.tell(connection, user, who)

            return await (self._lockdown.end if ends else self._lockdown.begin)(who, still)
        except HomeError as error:
            if error.slug == "confirmation-failed":
                stands = await self._lockdown.state()
                if stands.active == request.active:
                    return stands  # the form was sent twice, and the other one was quicker
                self._errands.start(self._report_failure(user, who), "report-failure")
            raise

    async def sweep(self) -> None:
        """Tell of failed tries whose window is over."""
        await self._failed.sweep()

    async def _confirm(self, request: LockdownChange, session: SessionInfo) -> tuple[user_rows.Account, _Used]:
        """Whether what was typed confirms it; what of it does not is not told. With it what of that is used up."""
        ends, binding = not request.active, _binding(session, ends=not request.active)
        async with self._store.read() as connection:
            account = await user_rows.find(connection, session.user.email)
        stored = account.password_hash if account is not None else None
        password = self._verify(request.password, stored, session)
        tried = await self._confirmations.tried(binding, request.code, password)
        right, fits = tried.password, tried.claim is not None
        used: _Used = tried.claim
        if ends and await self._strong.has(session.user.id):
            used = await self._heard_strong(request.code, session, right=right)
            fits = used is not None or is_proved(session, self._now())
        if account is None or not ((right and fits) if ends else (right or fits)):
            raise HomeError("confirmation-failed")
        return account, used

    async def _heard_strong(self, typed: str, session: SessionInfo, *, right: bool) -> Fitting | None:
        """A code of an app, or a recovery code, that fits; none where there were too many guesses."""
        if is_proved(session, self._now()):
            return None
        fitting = (await self._strong.judge(session.user.id, typed)).fitting
        if fitting is None and right:
            self._guesses.count(session.id, self._now())
        return self._guesses.heard(fitting, session.id, self._now())

    async def _verify(self, password: str, stored: str | None, session: SessionInfo) -> bool:
        """Whether the password is right; a session that tried too many wrong ones has none that is."""
        if not password:
            return False
        spent = self._wrong.is_spent(session.id, _WRONG_PASSWORDS, self._now())
        right = await self._passwords.verify(password, stored, known=True)
        if not right:
            self._wrong.count(session.id, _WRONG_PASSWORDS, self._now())
        return right and not spent

    async def _check_still(
        self, connection: AsyncConnection, request: LockdownChange, account: user_rows.Account, used: _Used
    ) -> None:
        """In the transaction of the change: nothing has changed meanwhile, and a code that was typed is used up."""
        found = await session_rows.find(connection, request.token, limits=self._limits, now=self._now())
        if found is None:
            raise HomeError("sign-in-required")
        _check(found.info.user, ends=not request.active)
        if await confirmations.use(connection, account, used if isinstance(used, Claim) else None) is None:
            raise HomeError("confirmation-failed")
        if isinstance(used, Fitting) and not await strong.spend(connection, found.info.user.id, used, self._now()):
            raise HomeError("confirmation-failed")

    async def _report_failure(self, user: User, who: Who) -> None:
        key = f"user/{user.id}"
        log.warning("Confirmation failed", extra=facts(event="confirmation_failed", at=key, address=who.address or "-"))
        await self._failed.tell(key, who, user)


def _binding(session: SessionInfo, *, ends: bool) -> Binding:
    return Binding(Purpose.END_LOCKDOWN if ends else Purpose.LOCK_DOWN, session.user.id, session.id)


def _check(user: User, *, ends: bool) -> None:
    """The gateway has looked, and so do we. Raises forbidden."""
    if user.role not in (_MAY_END if ends else _MAY_BEGIN):
        raise HomeError("forbidden", _MASTERS if ends else _NOT_GUESTS)
