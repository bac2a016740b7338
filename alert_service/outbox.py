"""Sends letters from the database until they are delivered: paced, one at a time, slower while the server is away.

A crash between the server's word and our commit sends a letter twice, with the same Message-ID; never not at all.
"""

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import tzinfo

import msgspec
from aiolimiter import AsyncLimiter
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service import daily, letters, mailbox, records
from alert_service.letters import Story, Written
from alert_service.mailbox import Due, Told
from shared import backoff
from shared.database import Store
from shared.lifecycle import leave_if_stopped
from shared.log import facts
from shared.mail import Letter, MailError
from shared.names import Outcome
from shared.problem import HomeError

log = logging.getLogger(__name__)

DIGEST_LINES = 200
"""What a digest lists; critical commands that were or may have been carried out come first and are never cut."""
_BATCH = 50
_PATROL_SECONDS = 30.0
_REFUSED_AGAIN_SECONDS = 6 * 3600.0
"""A permanent refusal is tried again this seldom: the mailbox may have been mended, and nothing is dropped."""


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How letters are written and how fast they may go; `alone` is how many of a party leave before a digest."""

    zone: tzinfo
    per_minute: int
    alone: int
    history: str | None = None


class Outbox:
    """The letters of one database; `send` hands one to the mail server and raises MailError."""

    def __init__(
        self,
        store: Store,
        send: Callable[[Letter], Awaitable[None]],
        manner: Manner,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._send = send
        self._manner = manner
        self._now = now
        self._limiter = AsyncLimiter(manner.per_minute, 60)
        self._woken = asyncio.Event()
        self._misses = 0
        self.failing_since: float | None = None
        self.failure: str | None = None
        self.resting = False

    def wake(self) -> None:
        """Something may have become due."""
        self._woken.set()

    async def run(self) -> None:
        """Send what is due until cancelled."""
        trouble = 0
        while True:
            leave_if_stopped()
            try:
                wait = await self.round()
                trouble = 0
            except HomeError as error:
                log.error("Letters cannot be read yet", extra=facts(reason=error))
                wait = backoff.delay(trouble, first=1.0, most=30.0)
                trouble += 1
            if wait > 0:
                await self._rest(wait)

    async def round(self) -> float:
        """Settle what is due and send it; returns the seconds until there may be more."""
        self._woken.clear()
        now = self._now()
        async with self._store.write() as connection:
            await records.expire(connection, now)
            # While the server is away letters stay together, so that they can leave as a digest.
            released = (
                0 if self.failing_since is not None else await mailbox.release(connection, now, self._manner.alone)
            )
            due = await mailbox.due(connection, now, _BATCH)
        if released == mailbox.RELEASE_LIMIT:
            return 0.0  # a flood is sorted out whole before its first letter holds up what stands behind it
        for delivery in due:
            leave_if_stopped()  # between letters: one that was taken is marked as sent first
            if not await self._deliver(delivery):
                return backoff.delay(self._misses - 1, first=1.0, most=60.0)
            if self._woken.is_set():
                return 0.0  # what is new may have its turn before the rest
        if len(due) == _BATCH:
            return 0.0
        async with self._store.read() as connection:
            upcoming = await mailbox.next_time(connection)
        return _PATROL_SECONDS if upcoming is None else min(_PATROL_SECONDS, max(0.05, upcoming - self._now()))

    async def _rest(self, seconds: float) -> None:
        leave_if_stopped()  # swallowed by the round's last step, it would be missed until the next
        if self.failing_since is not None:
            await asyncio.sleep(seconds)  # new letters do not make an absent server answer sooner
            return
        self.resting = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # not wait_for, which may lose a cancellation (Python 3.11)
                await self._woken.wait()
        self.resting = False

    async def _deliver(self, due: Due) -> bool:
        """Send one; False when the server is away, so that the others need not be tried."""
        await self._limiter.acquire()
        async with self._store.read() as connection:
            told = await mailbox.told(connection, due.letter)
            sources = await self._sources(connection, told)
            figures = await daily.figures(connection, told.letter) if told.kind == daily.KIND else None
        try:
            written = self._write(told, *sources) if figures is None else daily.write(figures, self._manner.zone)
            await self._send(
                Letter(
                    to=due.recipient,
                    subject=written.subject,
                    text=written.text,
                    html=written.html,
                    message_id=_message_id(told, due.recipient),
                )
            )
        except MailError as error:
            return await self._not_sent(due, error)
        except Exception:
            # One letter that cannot be written may not hold up all the others.
            log.exception("Letter cannot be written", extra=facts(letter=due.letter))
            return await self._not_sent(due, MailError("cannot be written; the log says more", permanent=True))
        async with self._store.write() as connection:
            await mailbox.sent(connection, due.delivery, self._now())
        log.info("Letter sent", extra=facts(letter=due.letter, delivery=due.delivery))
        if self.failing_since is not None:
            log.info("Mail server is back", extra=facts(away_seconds=self._now() - self.failing_since))
            self._woken.set()
        self._misses, self.failing_since, self.failure = 0, None, None
        return True

    async def _not_sent(self, due: Due, error: MailError) -> bool:
        if not error.answered:
            self._misses += 1
            self.failing_since = self.failing_since or self._now()
            self.failure = str(error)[:200]
            log.warning("Mail server does not take letters", extra=facts(reason=error, misses=self._misses))
            return False
        wait = _REFUSED_AGAIN_SECONDS if error.permanent else backoff.delay(due.attempts, first=10.0, most=1800.0)
        log.warning(
            "Letter refused by the mail server",
            extra=facts(letter=due.letter, reason=error, permanent=error.permanent, attempt=due.attempts),
        )
        async with self._store.write() as connection:
            await mailbox.refused(
                connection, due.delivery, refusal=str(error), permanent=error.permanent, next_at=self._now() + wait
            )
        return True

    async def _sources(self, connection: AsyncConnection, told: Told) -> tuple[int, list[Story]]:
        """What a letter tells: how many stories there are, and the first of them."""
        if told.kind != "digest":
            return 1, await _stories(connection, [told])
        count, first = await mailbox.gathered(connection, told.letter, DIGEST_LINES)
        return count, await _stories(connection, first)

    def _write(self, told: Told, count: int, stories: list[Story]) -> Written:
        manner = self._manner
        if told.kind != "digest":
            return letters.write(stories[0], manner.zone, manner.history)
        return letters.write_digest(told.source, count, stories, manner.zone, manner.history)


async def _stories(connection: AsyncConnection, told: list[Told]) -> list[Story]:
    numbers = {row for one in told for row in (one.intent, one.outcome) if row is not None}
    rows = await records.rows(connection, numbers)
    return [
        Story(
            ended=Outcome(one.ended or Outcome.UNKNOWN),
            intent=rows.get(one.intent) if one.intent is not None else None,
            outcome=rows.get(one.outcome) if one.outcome is not None else None,
        )
        for one in told
    ]


def _message_id(told: Told, recipient: str) -> str:
    """The same for every try, so that a mailbox can tell a repeat."""
    return hashlib.sha256(f"{told.key} {told.round} {recipient}".encode()).hexdigest()[:32]
