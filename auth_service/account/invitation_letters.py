"""The letters of invitations, each with its code: sent until the mail server takes it, also over a restart.

No code is kept, only its hash, so a letter that a restart or a fault took from us is written with another one, and the
former code is void. Whoever got both is told by the form that a newer letter counts.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from auth_service.confirming import codes, letters
from auth_service.confirming.confirmations import Send
from auth_service.confirming.errands import Errands
from auth_service.people import invitation_rows
from auth_service.people.invitation_rows import Owed
from auth_service.people.passwords import Passwords
from shared.keeping.database import Store
from shared.mail import Letter, MailError
from shared.running import backoff
from shared.running.log import facts
from shared.words.internal_people import Letter as Became
from shared.words.languages import DEFAULT, Language, tongue

log = logging.getLogger(__name__)

_OWN = timedelta(minutes=1)
"""So old is a letter that nobody sends: a younger one is about to be, by whoever invited."""


class InvitationLetters:
    """Writes and sends them. `send` hands a letter to the mail server, or raises MailError."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        errands: Errands,
        *,
        send: Send,
        now: Callable[[], datetime],
        language: Language = DEFAULT,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._errands = errands
        self._send = send
        self._now = now
        self._language = language
        self._under_way: set[str] = set()

    def hashed(self, invitation_id: str, code: str) -> str:
        """What the database keeps of a code."""
        return self._passwords.keyed("invitation", invitation_id, code)

    def begin(self, owed: Owed, code: str) -> None:
        """Send the first letter of a new invitation, after the answer."""
        self._start(owed, code)

    async def sweep(self) -> None:
        """Begin anew with what is owed and that nobody sends: after a restart, or a fault."""
        async with self._store.read() as connection:
            owed = await invitation_rows.owed(connection, self._now(), older=_OWN)
        for one in owed:
            if one.user.id in self._under_way:
                continue
            code = codes.new()
            async with self._store.write() as connection:
                stands = await invitation_rows.renew_code(connection, one, self.hashed(one.user.id, code))
            if stands:
                self._start(one, code)

    def _start(self, owed: Owed, code: str) -> None:
        self._under_way.add(owed.user.id)
        self._errands.start(self._deliver(owed, code), "mail-invitation")

    async def _deliver(self, owed: Owed, code: str) -> None:
        try:
            became = await self._sent(owed, self._written(owed, code))
            if became is not None:
                async with self._store.write() as connection:
                    await invitation_rows.note_letter(connection, owed.user.id, became)
        finally:
            self._under_way.discard(owed.user.id)

    async def _sent(self, owed: Owed, letter: Letter) -> Became | None:
        """Try until the letter is taken, or refused for good; None once the invitation is of no more use."""
        attempt = 0
        while self._now() < owed.expires_at:
            async with self._store.read() as connection:
                if not await invitation_rows.stands(connection, owed.user.id):
                    return None
            try:
                await self._send(letter)
            except MailError as error:
                log.warning("Invitation not taken", extra=facts(invitation=owed.user.id, attempt=attempt, reason=error))
                if error.permanent:
                    return "refused"
            else:
                log.info("Invitation sent", extra=facts(invitation=owed.user.id))
                return "sent"
            await asyncio.sleep(backoff.delay(attempt, first=1.0, most=60.0))
            attempt += 1
        return None

    def _written(self, owed: Owed, code: str) -> Letter:
        return letters.invitation_letter(
            to=owed.user,
            by=owed.by,
            link=f"{owed.home}/invitations/{owed.user.id}",
            code=code,
            hours=max(1, round((owed.expires_at - self._now()) / timedelta(hours=1))),
            message_id=f"{owed.user.id}.{secrets.token_hex(4)}",  # another code is another letter, not a repetition
            tongue=tongue(owed.user.language or self._language),
        )
