"""Whether letters with codes could go out just now: known by asking the mail server, never by what became of a letter.

Who asks for a code has it looked at, whatever the password was: what a page says of the mail tells nothing of that.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from shared.mail import MailError
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts
from shared.running.waiting import woken
from shared.words.internal import MailPath
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

QUIET_SECONDS = 900.0
"""So often it is looked at when nobody asks for a code."""
FRESH_SECONDS = 10.0
AWAY_SECONDS = 5.0
"""And so often at most, while it works and while it does not: mail servers dislike callers without a letter."""


class MailWatch:
    """`check` goes as far with the mail server as can be gone without a letter, or raises MailError."""

    def __init__(self, check: Callable[[], Awaitable[object]], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._check = check
        self._clock = clock
        self._known = MailPath()
        self._looked_at = float("-inf")
        self._woken = asyncio.Event()
        self._settled = asyncio.Event()

    def look(self) -> None:
        """Somebody waits for a letter: look now, unless that was done a moment ago."""
        fresh = AWAY_SECONDS if self._known.mail == "away" else FRESH_SECONDS
        if self._clock() - self._looked_at >= fresh:
            self._settled.clear()
            self._woken.set()

    async def known(self, *, patience: float) -> MailPath:
        """What is known; a look that is under way is waited for, at most `patience` seconds."""
        await woken(self._settled, patience)
        return self._known

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self._woken.clear()
            await self._look()
            self._looked_at = self._clock()
            self._settled.set()
            leave_if_stopped()  # aiosmtplib swallows a cancellation while it hangs up
            await woken(self._woken, QUIET_SECONDS if self._known.mail == "works" else AWAY_SECONDS)

    async def _look(self) -> None:
        before = self._known.mail
        try:
            await self._check()
        except (MailError, OSError) as error:
            self._known = MailPath(mail="away")
            if before != "away":
                log.warning("Mail server takes no letters", extra=facts(reason=error))
        except HomeError as error:  # our own database, which says for whom to ask
            self._known = MailPath()
            log.warning("Mail server not asked", extra=facts(reason=error))
        else:
            self._known = MailPath(mail="works")
            if before == "away":
                log.info("Mail server takes letters again")
