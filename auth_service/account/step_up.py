"""Proving once more who one is, in a session that goes on: by a passkey, a code of an app, or a recovery code.

A mailed code is none of these: what asks for a proof asks for a strong one (ASVS 7.5.3).
"""

import logging
import secrets
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import telling
from auth_service.account.current_password import CurrentPassword
from auth_service.factors import passkey_rows, passkeys
from auth_service.people import changed_rights, user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.running.log import facts
from shared.words.internal import LoginAnswer, SessionInfo
from shared.words.internal_passkeys import Challenge
from shared.words.internal_proofs import ProofChallengeAsked, ProofShown
from shared.words.languages import later
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_UNFIT = later("The passkey's answer does not fit. Try once more.")


class StepUp:
    """Asks for a proof and takes it. `wake` has the gateways forget the session's former token at once."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        passwords: Passwords,
        proof: Proof,
        current: CurrentPassword,
        *,
        limits: session_rows.Limits,
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._passwords = passwords
        self._proof = proof
        self._current = current
        self._limits = limits
        self._now = now
        self._wake = wake

    async def ask(self, asked: ProofChallengeAsked) -> Challenge:
        """What a passkey of theirs must answer, in this session, once. Raises HomeError("sign-in-required")."""
        session = await self._sessions.verify(asked.token)
        challenge = secrets.token_urlsafe(32)
        async with self._store.write() as connection:
            await passkey_rows.put_challenge(connection, self._place(session), challenge, self._now())
            theirs = await passkey_rows.credentials_of(connection, session.user.id)
        return Challenge(options=passkeys.wish_to_show(asked.site, challenge, theirs))

    async def prove(self, shown: ProofShown, issuer: str) -> LoginAnswer:
        """The session, proved just now, with its new token; the former one is void (ASVS 7.2.4).

        Raises HomeError: sign-in-required, step-up-required (who has no strong factor), confirmation-failed,
        rate-limited.
        """
        session = await self._sessions.verify(shown.token)
        who = telling.by(session.user, shown.address, issuer)
        if shown.credential is not None:
            factor, answer = await self._by_passkey(shown, session)
        else:
            factor, answer = await self._current.spend_code(
                shown.code, session, who, lambda connection: self._renew(connection, shown.token)
            )
        self._wake()
        # No critical act by itself: a full disk must not keep the owner from what they prove themselves for.
        await self._proof.note("session:proved", f"session/{session.id}", who, factor=factor)
        return answer

    async def _by_passkey(self, shown: ProofShown, session: SessionInfo) -> tuple[str, LoginAnswer]:
        async with self._store.write() as connection:  # used up by itself, whatever comes of it
            challenge = await passkey_rows.take_challenge(connection, self._place(session), self._now())
        credential, site = shown.credential, shown.site
        if credential is None or site is None or challenge is None:
            raise HomeError("confirmation-failed", _UNFIT)
        async with self._store.read() as connection:
            held = await passkey_rows.find(connection, credential.id)
        if held is None or held.user.id != session.user.id:
            raise HomeError("confirmation-failed", "This passkey is none of this account's.")
        try:
            count = passkeys.shown(
                site, challenge, credential, user_id=held.user.id, public_key=held.public_key, count=held.count
            )
        except passkeys.UnfitError as error:
            log.warning("A passkey's answer does not fit", extra=facts(at=f"user/{held.user.id}", reason=error))
            raise HomeError("confirmation-failed", _UNFIT) from error
        async with self._store.write() as connection:  # one that is taken away meanwhile proves nothing
            answer = await self._renew(connection, shown.token)
            if not await passkey_rows.use(connection, held.id, count, self._now()):
                raise HomeError("confirmation-failed", _UNFIT)
        return "passkey", answer

    async def _renew(self, connection: AsyncConnection, token: str) -> LoginAnswer:
        found = await session_rows.find(connection, token, limits=self._limits, now=self._now())
        if found is None or not await user_rows.lock(connection, found.info.user.id):
            raise HomeError("sign-in-required")
        renewed = await session_rows.prove(connection, token, self._now())
        if renewed is None:
            raise HomeError("sign-in-required")
        await changed_rights.note(connection, found.info.user.id)
        proved = await session_rows.find(connection, renewed, limits=self._limits, now=self._now())
        if proved is None:
            raise HomeError("sign-in-required")
        return LoginAnswer(token=renewed, session=proved.info)

    def _place(self, session: SessionInfo) -> str:
        return self._passwords.keyed("proof place", session.id)
