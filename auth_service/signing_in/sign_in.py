"""Signing in, in two steps: e-mail and password bring a code by mail; with the code they bring a session.

Nothing that a caller can see or measure tells whether an account exists or which part was wrong (ASVS 6.3.8), nor that
one of its budgets is spent: then no letter goes out, and a code may still be had at the hub.
"""

from collections.abc import Callable
from datetime import datetime

from auth_service.confirming import code_rows, confirmations, letters
from auth_service.confirming.codes import Binding, Purpose
from auth_service.confirming.confirmations import Confirmations, Send
from auth_service.confirming.errands import Errands
from auth_service.confirming.tries import FailedTries
from auth_service.factors import factor_rows, strong
from auth_service.factors.recovery_used import RecoveryUsed
from auth_service.factors.strong import Fitting, Judged, StrongFactors
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import networks, session_rows
from auth_service.signing_in.budgets import Asker, SignInBudgets
from auth_service.signing_in.entering import Entering
from auth_service.signing_in.guesses import Guesses
from shared.keeping.database import Store
from shared.running.log import security
from shared.words.internal import LoginAnswer, LoginCodeRequest, LoginRequest
from shared.words.languages import DEFAULT, Language, tongue
from shared.words.messages import UserRef, Who
from shared.words.problem import HomeError

_NOBODY = ""
"""The account id of who does not exist: the same statements run for it, and find nothing."""


class SignIn:
    """Both steps. `issuer` in its methods is the gateway that asks."""

    def __init__(
        self,
        store: Store,
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
        self._passwords = passwords
        self._proof = proof
        self._errands = errands
        self._confirmations = Confirmations(store, passwords, send=send, now=now)
        self._entering = Entering(passwords, proof, limits=limits, now=now)
        self._now = now
        self._language = language
        self._failed = FailedTries("account:sign-in-failed", proof, now=now)
        self._budgets = SignInBudgets()
        self._strong = StrongFactors(store, passwords, now=now)
        self._recovery = RecoveryUsed(proof)
        self._guesses = Guesses()

    async def ask_code(self, request: LoginCodeRequest, issuer: str) -> None:
        """Step 1. Returns before anything about the account is looked at; the letter goes out afterwards."""
        self._passwords.check_room(known=bool(request.known), loud=self._is_loud(request))
        await self._store.ping()
        self._errands.start(self._mail_code(request, issuer), "mail-code")

    async def enter(self, request: LoginRequest, issuer: str) -> LoginAnswer:
        """Step 2. Raises HomeError("sign-in-failed"), the same whatever was wrong."""
        account = await self._account(request.email)
        binding = Binding(Purpose.SIGN_IN, account.user.id if account else _NOBODY, request.browser)
        judged = await self._strong.judge(binding.user_id, request.code)
        tried = await self._confirmations.tried(binding, request.code, self._verify(account, request))
        fitting = self._heard_strong(account, request, judged, right=tried.password)
        # Whoever has a strong factor is not let in by mail (ASVS 6.4.3).
        fits = fitting is not None if judged.strong else tried.claim is not None
        if account is None or not tried.password or not fits:
            self._fail(account, issuer, request.address)
            raise HomeError("sign-in-failed")
        who = Who(issuer=issuer, user=UserRef(id=account.user.id, name=account.user.name), address=request.address)
        answer = await self._start_session(account, fitting if judged.strong else tried.claim, request, who)
        if answer is None:
            self._fail(account, issuer, request.address)
            raise HomeError("sign-in-failed")
        factor = fitting.name if fitting is not None else "mailed code"
        await self._entering.note(answer, who, agent=request.agent, factor=factor, own=request.own)
        if self._passwords.is_outdated(account.password_hash):
            self._errands.start(self._hash_anew(account, request.password), "hash-anew")
        return answer

    async def sweep(self) -> None:
        """Tell of failed sign-ins whose window is over."""
        await self._failed.sweep()

    async def _mail_code(self, request: LoginCodeRequest, issuer: str) -> None:
        account = await self._account(request.email)
        heard = self._budgets.hears(_asker(account, request), request.regulation, self._now())
        right = await self._verify(account, request)
        if account is None or not right:
            await self._report_failure(account, issuer, request.address)
            return
        user = account.user
        binding = Binding(Purpose.SIGN_IN, user.id, request.browser)
        if await self._strong.has(user.id):
            # The app has the code, and mail is no way round it; at the hub that is said of the attempt.
            await self._confirmations.keep_attempt(binding, address=request.address)
            return
        if not heard or not self._budgets.may_write(_asker(account, request), request.regulation, self._now()):
            security("code_held_back", address=request.address, at=f"user/{user.id}")
            await self._confirmations.keep_attempt(binding, address=request.address)
            return
        issued = await self._confirmations.issue(binding, address=request.address)
        letter = letters.code_letter(
            to=user,
            code=issued.code,
            address=request.address,
            message_id=issued.id,
            tongue=tongue(user.language or self._language),
        )
        await self._confirmations.deliver(issued, letter)

    async def _hash_anew(self, account: user_rows.Account, password: str) -> None:
        """The only moment at which a hash of another cost can be made of a password is when it is typed."""
        wanted = await self._passwords.hash(password)
        async with self._store.write() as connection:
            await user_rows.exchange_password(connection, account.user.id, account.password_hash, wanted)

    async def _verify(self, account: user_rows.Account | None, request: LoginCodeRequest | LoginRequest) -> bool:
        """Whether the password is right; a wrong one is counted, whoever it was meant for."""
        stored = account.password_hash if account is not None else None
        known, loud = bool(request.known), self._is_loud(request)
        right = await self._passwords.verify(request.password, stored, known=known, loud=loud)
        if not right:
            self._budgets.heard_wrong(_asker(account, request), request.regulation, self._now())
        return right

    def _is_loud(self, request: LoginCodeRequest | LoginRequest) -> bool:
        return self._budgets.is_loud(_network(request), self._now())

    def _heard_strong(
        self, account: user_rows.Account | None, request: LoginRequest, judged: Judged, *, right: bool
    ) -> Fitting | None:
        """What of the typed fits, unless there were too many guesses: a known browser's are counted apart.

        Without the right password nothing is guessed, so nothing is counted: no stranger keeps an owner out.
        """
        if account is None or not judged.strong:
            return None
        key = (account.user.id, request.known)
        if judged.fitting is None and right:
            self._guesses.count(key, self._now())
        return self._guesses.heard(judged.fitting, key, self._now())

    async def _account(self, email: str) -> user_rows.Account | None:
        async with self._store.read() as connection:
            account = await user_rows.find(connection, email)
        return None if account is None or account.disabled else account

    async def _start_session(
        self,
        account: user_rows.Account,
        used: code_rows.Claim | Fitting | None,
        request: LoginRequest,
        who: Who,
    ) -> LoginAnswer | None:
        async with self._store.write() as connection:
            claim = used if isinstance(used, code_rows.Claim) else None
            user = await confirmations.use(connection, account, claim)
            if user is None:
                return None
            if isinstance(used, Fitting):
                if not await strong.spend(connection, user.id, used, self._now()):
                    return None
                if used.code_hash:
                    await self._recovery.tell(connection, user, who)
            elif await factor_rows.of(connection, user.id):
                return None  # one was added while the mailed code was typed
            return await self._entering.start(
                connection,
                user,
                who,
                address=request.address,
                agent=request.agent,
                known=bool(request.known),
                own=request.own,
                proved=isinstance(used, Fitting),
            )

    def _fail(self, account: user_rows.Account | None, issuer: str, address: str) -> None:
        self._errands.start(self._report_failure(account, issuer, address), "report-failure")

    async def _report_failure(self, account: user_rows.Account | None, issuer: str, address: str) -> None:
        key = f"user/{account.user.id}" if account else f"address/{address}"
        security("sign_in_failed", address=address, at=key)
        await self._failed.tell(key, Who(issuer=issuer, address=address), account.user if account else None)


def _asker(account: user_rows.Account | None, request: LoginCodeRequest | LoginRequest) -> Asker:
    return Asker(
        account=account.user.id if account is not None else user_rows.email_key(request.email),
        known=request.known,
        network=_network(request),
    )


def _network(request: LoginCodeRequest | LoginRequest) -> str:
    return networks.network(request.address, ipv6_bits=networks.SITE_BITS)
