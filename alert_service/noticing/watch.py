"""Watches happenings for the rules that are on them, and puts a letter into the outbox for each that is to be told.

It follows the store of happenings by number, and what it does with them is committed together with how far it came:
a restart, or a happening that is delivered again, tells nothing twice. How much is told stands in bounds.py.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import tzinfo

from alert_service.letters.mailbox import known_people
from alert_service.letters.release import OtherWay
from alert_service.letters.tidings import Readers
from alert_service.noticing import bounds, rows
from alert_service.noticing.telling import Teller
from alert_service.telling.noticed import SECOND, NoticeRule
from shared.keeping.database import Store
from shared.running import backoff
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts
from shared.running.waiting import woken
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

BATCH = 500
PATROL_SECONDS = 20.0
SETTLE = 120 * SECOND
"""After a start so much of what happened meanwhile is on its way to us that nothing is said to last yet."""
_TIDY_SECONDS = 3600.0

AtHome = Callable[[], Awaitable[bool | None]]
"""Whether somebody is signed in at home; None where nobody knows."""


def steady() -> float:
    """Seconds that no setting of the clock moves, and that go on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Watch:
    """The watch of one store; `told` is called when letters were made."""

    def __init__(
        self,
        store: Store,
        rules: Sequence[NoticeRule],
        zone: tzinfo,
        *,
        ways: Sequence[OtherWay] = (),
        at_home: AtHome,
        told: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.time,
        steady: Callable[[], float] = steady,
    ) -> None:
        self._store = store
        self._rules = tuple(rules)
        self._zone = zone
        self._ways = tuple(ways)
        self._at_home = at_home
        self._told = told
        self._now = now
        self._steady = steady
        self._woken = asyncio.Event()
        self._began = False
        self._looked = (now(), steady())
        self._tidied = 0.0
        self._seqs: dict[str, int] = {}

    def wake(self) -> None:
        """Something may have happened."""
        self._woken.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        trouble = 0
        while True:
            leave_if_stopped()
            try:
                wait = await self.look()
                trouble = 0
            except HomeError as error:
                log.error("Happenings cannot be looked at yet", extra=facts(reason=error))
                wait = backoff.delay(trouble, first=1.0, most=30.0)
                trouble += 1
            leave_if_stopped()
            await woken(self._woken, wait)

    async def look(self) -> float:
        """Look at what is new and at what is due; the seconds until there may be more."""
        self._woken.clear()
        if not self._began:
            await self._begin()
        if not self._rules:
            return PATROL_SECONDS
        clock = self._now(), self._steady()
        now, moved = round(clock[0] * SECOND), bounds.setting(self._looked, clock)
        async with self._store.read() as connection:
            readers = Readers(await known_people(connection), self._ways)
            due = await rows.next_due(connection)
            some = moved or (due is not None and due <= now) or await rows.is_newer(connection)
        if not any(one.master for one in readers.people):
            return PATROL_SECONDS  # nothing is looked at before anybody can be told
        made, more = await self._round(readers, now, moved) if some else (0, False)
        self._looked = clock
        if moved:
            log.warning("The hub's clock was set", extra=facts(seconds=round(moved / SECOND)))
        if made:
            self._told()
        return 0.0 if more else await self._wait(now)

    async def _round(self, readers: Readers, now: int, moved: int) -> tuple[int, bool]:
        """One transaction: how many letters it made, and whether there is more to look at."""
        home = await self._at_home() if any(rule.unless_home for rule in self._rules) else None
        async with self._store.write() as connection:
            after = min(await rows.cursor(connection) or 0, await rows.newest(connection))
            teller = Teller(connection, self._rules, self._zone, readers, now, home, self._seqs)
            await teller.begin(moved)
            fresh = await rows.fresh(connection, after, BATCH)
            for happening in fresh:
                await teller.hear(happening)
            if len(fresh) < BATCH:  # what ends it may be among those that are still to be looked at
                await teller.look()
            await teller.finish()
            await rows.set_cursor(connection, fresh[-1].number if fresh else after)
        return teller.letters, len(fresh) == BATCH

    async def _begin(self) -> None:
        """Where no rule is on happenings, the first that is written begins with what happens from then on."""
        now = round(self._now() * SECOND)
        async with self._store.write() as connection:
            if not self._rules:
                await rows.set_cursor(connection, None)
            elif await rows.cursor(connection) is None:
                await rows.set_cursor(connection, await rows.newest(connection))
            await rows.not_before(connection, now + SETTLE)
        self._began = True

    async def _wait(self, now: int) -> float:
        async with self._store.read() as connection:
            due = await rows.next_due(connection)
        if self._looked[1] - self._tidied > _TIDY_SECONDS:
            self._tidied = self._looked[1]
            async with self._store.write() as connection:
                await rows.forget_old(connection, now)
        return PATROL_SECONDS if due is None else min(PATROL_SECONDS, max(0.05, (due - now) / SECOND))
