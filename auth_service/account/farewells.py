"""The letter to an address that is somebody's no more: whoever reads there hears of it, be the change theirs or not.

The other letters of a home go to where people read now; this one is the auth service's own. It is owed in the
database, so that no mail server that is away, no restart, and no change at a hub that stands still loses it.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from auth_service.confirming import letters
from auth_service.confirming.confirmations import Send
from auth_service.people import email_rows
from auth_service.people.email_rows import Former
from shared.keeping.database import Store
from shared.mail import MailError
from shared.running.log import facts
from shared.words.languages import DEFAULT, Language, tongue

log = logging.getLogger(__name__)

OWED = timedelta(days=7)
"""For so long it is tried: after that it warns nobody in time."""


class Farewells:
    """Writes them. `send` hands a letter to the mail server, or raises MailError."""

    def __init__(self, store: Store, *, send: Send, now: Callable[[], datetime], language: Language = DEFAULT) -> None:
        self._store = store
        self._send = send
        self._now = now
        self._language = language
        self._writing = asyncio.Lock()

    async def sweep(self) -> None:
        """Write those that are owed; what the mail server does not take now is tried again by the next."""
        async with self._writing:  # else two at once would write the same
            async with self._store.read() as connection:
                owed = await email_rows.untold(connection, self._now() - OWED)
            for former in owed:
                if await self._write(former):
                    async with self._store.write() as connection:
                        await email_rows.told(connection, former.id, self._now())

    async def _write(self, former: Former) -> bool:
        """Whether nothing more is to be done about it."""
        spoken = tongue(former.user.language or self._language)
        try:
            await self._send(letters.farewell_letter(former.user, to=former.email, message_id=former.id, tongue=spoken))
        except MailError as error:
            log.warning("Letter to a former address not taken", extra=facts(user=former.user.id, reason=error))
            return error.permanent
        log.info("Letter to a former address sent", extra=facts(user=former.user.id))
        return True
