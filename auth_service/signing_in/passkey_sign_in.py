"""Signing in by a passkey alone: the device has checked who it is, and the passkey is good for this home only.

Nothing is asked about an account before one was shown, so nothing tells who has one (ASVS 6.3.8).
"""

import logging
import secrets
from collections.abc import Callable
from datetime import datetime

from auth_service.confirming.errands import Errands
from auth_service.confirming.tries import FailedTries
from auth_service.factors import passkey_rows, passkeys
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.entering import Entering
from shared.keeping.database import Store
from shared.running.log import facts, security
from shared.words.internal import LoginAnswer, User
from shared.words.internal_passkeys import Challenge, ChallengeAsked, PasskeyLogin
from shared.words.messages import UserRef, Who
from shared.words.problem import HomeError

log = logging.getLogger(__name__)


class PasskeySignIn:
    """Both steps: a challenge for a browser, and the passkey's answer to it."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        proof: Proof,
        errands: Errands,
        *,
        limits: session_rows.Limits,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._errands = errands
        self._entering = Entering(passwords, proof, limits=limits, now=now)
        self._now = now
        self._failed = FailedTries("account:sign-in-failed", proof, now=now)

    async def ask(self, asked: ChallengeAsked) -> Challenge:
        """A challenge; the browser's former one is void."""
        challenge = secrets.token_urlsafe(32)
        async with self._store.write() as connection:
            await passkey_rows.put_challenge(connection, self._place(asked.browser), challenge, self._now())
        return Challenge(options=passkeys.wish_to_show(asked.site, challenge))

    async def enter(self, request: PasskeyLogin, issuer: str) -> LoginAnswer:
        """A session. Raises HomeError("sign-in-failed"), the same whatever was wrong."""
        async with self._store.write() as connection:  # used up by itself, whatever comes of it
            challenge = await passkey_rows.take_challenge(connection, self._place(request.browser), self._now())
        async with self._store.read() as connection:
            held = await passkey_rows.find(connection, request.credential.id)
        count = self._judged(request, challenge, held)
        answer = None
        if held is not None and count is not None:
            answer = await self._start(request, held, count, issuer)
        if answer is None:
            self._fail(held.user if held is not None else None, issuer, request.address)
            raise HomeError("sign-in-failed")
        return answer

    async def sweep(self) -> None:
        """Forget challenges past their time, and tell of failures whose window is over."""
        await self._failed.sweep()
        async with self._store.write() as connection:
            await passkey_rows.drop_expired(connection, self._now())

    def _judged(self, request: PasskeyLogin, challenge: str | None, held: passkey_rows.Passkey | None) -> int | None:
        if challenge is None or held is None:
            return None
        try:
            return passkeys.shown(
                request.site,
                challenge,
                request.credential,
                user_id=held.user.id,
                public_key=held.public_key,
                count=held.count,
            )
        except passkeys.UnfitError as error:
            log.warning("A passkey's answer does not fit", extra=facts(at=f"user/{held.user.id}", reason=error))
            return None

    async def _start(
        self, request: PasskeyLogin, held: passkey_rows.Passkey, count: int, issuer: str
    ) -> LoginAnswer | None:
        user = held.user
        who = Who(issuer=issuer, user=UserRef(id=user.id, name=user.name), address=request.address)
        async with self._store.write() as connection:
            if not await user_rows.lock(connection, user.id):
                return None
            if not await passkey_rows.use(connection, held.id, count, self._now()):
                return None
            answer = await self._entering.start(
                connection,
                user,
                who,
                address=request.address,
                agent=request.agent,
                known=False,
                own=request.own,
                proved=True,
            )
        await self._entering.note(answer, who, agent=request.agent, factor="passkey", own=request.own)
        return answer

    def _fail(self, user: User | None, issuer: str, address: str) -> None:
        key = f"user/{user.id}" if user is not None else f"address/{address}"
        security("sign_in_failed", address=address, at=key)
        who = Who(issuer=issuer, address=address)
        self._errands.start(self._failed.tell(key, who, user), "report-failure")

    def _place(self, browser: str) -> str:
        return self._passwords.keyed("passkey place", browser)
