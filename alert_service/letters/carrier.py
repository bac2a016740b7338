"""Carries letters by one way until they are delivered: paced, one at a time, slower while the other side is away.

Each way has a carrier of its own, so that a broken one holds up no other. A crash between the other side's word and
our commit sends a letter twice, by mail with the same Message-ID; never not at all.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

import msgspec
from aiolimiter import AsyncLimiter
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.config import MAIL
from alert_service.letters import mailbox
from alert_service.letters.mailbox import Due
from alert_service.telling import digest
from shared.keeping.database import Store
from shared.mail import Letter, MailError
from shared.running import backoff
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts
from shared.running.waiting import woken
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

BATCH = 50
PATROL_SECONDS = 30.0
_AWAY_SECONDS = 60.0
"""How seldom, at most, an absent other side is knocked at: the next letter waits no longer once it is back."""
_REFUSED_AGAIN_SECONDS = 6 * 3600.0
"""A permanent refusal is tried again this seldom: the mailbox may have been mended, and nothing is dropped."""
_ITS_OWN_FAULT = 3
"""A letter with which the connection broke so often, while the other side is there, stops itself alone from then on."""
_SUMMED_LINES = 50


class Way(Protocol):
    """One way to be told. Both methods raise MailError."""

    name: str
    can_be_asked: bool
    """Whether `check` really asks."""

    async def send(self, letter: Letter) -> None:
        """Hand one letter over."""

    async def check(self) -> None:
        """Whether letters would be taken, without sending one."""


class _Trouble(msgspec.Struct, frozen=True):
    """Since when a way fails, in seconds since 1970, and what it says; kept over a restart."""

    since: float
    reason: str


class Pace(NamedTuple):
    """How many letters leave in a minute, and past how many stale ones they are told of together."""

    per_minute: int
    alone: int


class Carrier:
    """The deliveries of one way, of which none leaves while it is not `settled` to whom. `write` makes a letter of one;
    `tidy` runs before each round that may send.
    """

    def __init__(
        self,
        store: Store,
        way: Way,
        write: Callable[[Due], Awaitable[Letter]],
        pace: Pace,
        *,
        now: Callable[[], float],
        tidy: Callable[[AsyncConnection, float], Awaitable[int]] | None = None,
        settled: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self.way = way
        self._write = write
        self._alone = pace.alone
        self._tidy = tidy
        self._settled = settled
        self._now = now
        self._limiter = AsyncLimiter(pace.per_minute, 60)
        self._woken = asyncio.Event()
        self._misses = 0
        self._trouble: _Trouble | None = None
        self.resting = False

    @property
    def failing_since(self) -> float | None:
        """Since when nothing is taken, in seconds since 1970; None while letters are."""
        return self._trouble.since if self._trouble is not None else None

    @property
    def failure(self) -> str | None:
        """What was last said against us as a whole."""
        return self._trouble.reason if self._trouble is not None else None

    def wake(self) -> None:
        """Something may have become due."""
        self._woken.set()

    async def run(self) -> None:
        """Look whether the way is open, then send what is due until cancelled."""
        trouble, looked = 0, False
        while True:
            leave_if_stopped()
            try:
                if not looked:
                    await self._recall()
                    await self._look()
                    looked = True
                wait = await self.round()
                trouble = 0
            except HomeError as error:
                log.error("Letters cannot be read yet", extra=facts(way=self.way.name, reason=error))
                wait = backoff.delay(trouble, first=1.0, most=30.0)
                trouble += 1
            if wait > 0:
                await self._rest(wait)

    async def round(self) -> float:
        """Send what is due; returns the seconds until there may be more."""
        self._woken.clear()
        if not self._settled():
            return PATROL_SECONDS  # whoever settles it wakes us
        now, failing = self._now(), self._trouble is not None
        if not failing:
            await self._gather(now)
        async with self._store.read() as connection:
            # One is enough to see whether the other side is back.
            due = await mailbox.due(connection, self.way.name, now, 1 if failing else BATCH, untried=failing)
        if failing and not due:
            return 0.0 if await self._look() else backoff.delay(self._misses - 1, first=1.0, most=_AWAY_SECONDS)
        for delivery in due:
            leave_if_stopped()  # between letters: one that was taken is marked as sent first
            if not await self._deliver(delivery):
                return backoff.delay(self._misses - 1, first=1.0, most=_AWAY_SECONDS)
            if self._woken.is_set() or not self._settled():
                return 0.0  # what is new may have its turn before the rest
        if failing or len(due) == BATCH:
            return 0.0
        async with self._store.read() as connection:
            upcoming = await mailbox.next_delivery(connection, self.way.name)
        return PATROL_SECONDS if upcoming is None else min(PATROL_SECONDS, max(0.05, upcoming - self._now()))

    async def _gather(self, now: float) -> None:
        """What an outage left behind is not sent one by one: mail has its digests, another way one sum."""
        if self._tidy is not None:
            async with self._store.write() as connection:
                moved = await self._tidy(connection, now)
            if moved:
                log.info("Letters that could not leave are gathered", extra=facts(way=self.way.name, letters=moved))
        elif self.way.name != MAIL:
            await self._sum_up(now)

    async def _sum_up(self, now: float) -> None:
        async with self._store.read() as connection:
            stale = await mailbox.stale(connection, self.way.name, now - digest.WINDOW_SECONDS)
        if len(stale) <= self._alone:
            return
        subjects = [f"- {(await self._write(one)).subject}" for one in stale[:_SUMMED_LINES]]
        left = len(stale) - len(subjects)
        subjects += [f"And {left} more."] if left else []
        try:
            await self.way.send(
                Letter(
                    to=self.way.name,
                    subject=f"{len(stale)} alerts while this way was closed",
                    text="\n".join([*subjects, "", "Each stands in the history, and is told by mail."]),
                )
            )
        except MailError as error:
            await self._failed(error)
            return
        async with self._store.write() as connection:
            await mailbox.summed(connection, [one.delivery for one in stale], now)

    async def _deliver(self, due: Due) -> bool:
        """Send one; False when the other side is away, so that the others need not be tried."""
        await self._limiter.acquire()
        async with self._store.read() as connection:
            if not (await mailbox.waits(connection, due.delivery) and self._settled()):
                return True  # since it was found others have left slowly, and whoever was to read it has moved
        try:
            await self.way.send(await self._write(due))
        except MailError as error:
            return await self._not_sent(due, error)
        except HomeError:
            raise  # the database, which is no fault of the letter
        except Exception:
            # One letter that cannot be written may not hold up all the others.
            log.exception("Letter cannot be written", extra=facts(letter=due.letter))
            return await self._not_sent(due, MailError("cannot be written; the log says more", permanent=True))
        async with self._store.write() as connection:
            await mailbox.sent(connection, due.delivery, self._now())
        log.info("Letter sent", extra=facts(way=self.way.name, letter=due.letter, delivery=due.delivery))
        await self._open()
        return True

    async def _not_sent(self, due: Due, error: MailError) -> bool:
        if not error.answered and not await self._is_its_own_fault(due):
            await self._failed(error)
            # The next try is another letter's, if there is one: this one may be what the other side cannot bear.
            wait = backoff.delay(due.attempts, first=1.0, most=_AWAY_SECONDS)
            async with self._store.write() as connection:
                await mailbox.put_off(connection, due.delivery, next_at=self._now() + wait)
            return False
        wait = (
            backoff.delay(0, first=_REFUSED_AGAIN_SECONDS, most=_REFUSED_AGAIN_SECONDS)
            if error.permanent
            else backoff.delay(due.attempts, first=10.0, most=1800.0)
        )
        told = facts(
            way=self.way.name, letter=due.letter, reason=error, permanent=error.permanent, attempt=due.attempts
        )
        log.warning("Letter refused", extra=told)
        async with self._store.write() as connection:
            await mailbox.refused(
                connection, due.delivery, refusal=str(error), permanent=error.permanent, next_at=self._now() + wait
            )
        await self._open()  # it does answer
        return True

    async def _is_its_own_fault(self, due: Due) -> bool:
        """Whether the other side is there for all but this one, on which it hangs up."""
        if due.attempts < _ITS_OWN_FAULT:
            return False
        if self._trouble is None:
            return True
        if not self.way.can_be_asked:
            return False
        try:
            await self.way.check()
        except MailError:
            return False
        return True

    async def _look(self) -> bool:
        """Whether the way is open; logged either way, for whoever has just set it up."""
        try:
            await self.way.check()
        except MailError as error:
            await self._failed(error)
            return False
        log.info("Way to be told is open", extra=facts(way=self.way.name))
        await self._open()
        return True

    async def _failed(self, error: MailError) -> None:
        self._misses += 1
        since = self._trouble.since if self._trouble is not None else self._now()
        said = _Trouble(since, str(error)[:200])
        log.warning("Letters are not taken", extra=facts(way=self.way.name, reason=error, misses=self._misses))
        if said != self._trouble:
            self._trouble = said
            await self._remember(msgspec.json.encode(said).decode())

    async def _open(self) -> None:
        self._misses = 0
        if self._trouble is not None:
            log.info("Letters are taken again", extra=facts(way=self.way.name, away=self._now() - self._trouble.since))
            self._trouble = None
            await self._remember(None)
            async with self._store.write() as connection:
                await mailbox.take_up(connection, self.way.name, self._now())
            self._woken.set()

    async def _remember(self, value: str | None) -> None:
        async with self._store.write() as connection:
            await mailbox.remember(connection, self._memory, value)

    async def _recall(self) -> None:
        async with self._store.read() as connection:
            found = await mailbox.remembered(connection, self._memory)
        if found is not None and self._trouble is None:
            self._trouble = msgspec.json.decode(found, type=_Trouble)

    @property
    def _memory(self) -> str:
        return f"failing/{self.way.name}"

    async def _rest(self, seconds: float) -> None:
        leave_if_stopped()  # swallowed by the round's last step, it would be missed until the next
        if self._trouble is not None:
            await asyncio.sleep(seconds)  # new letters do not make an absent server answer sooner
            return
        self.resting = True
        await woken(self._woken, seconds)
        self.resting = False
