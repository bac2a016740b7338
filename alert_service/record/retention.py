"""Removes whole days that are older than the record is kept, oldest first, and leaves their hashes (docs/record.md).

A day is what was received on it, in UTC; rows that a clock set back put among later ones go with their neighbours.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import arrivals, chain, removal
from alert_service.chain.removal import Day
from alert_service.record import old_letters, records, walk
from alert_service.tables import days, events, letters
from shared.keeping.database import Store
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts
from shared.words.internal_alerts import ChainStatus
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_BATCH = 500
"""Rows that one transaction deletes."""
_REST_SECONDS = 0.02
_PATROL_SECONDS = 600.0
"""One day at a time: a clock that is wrong for an hour costs a few days at the worst, not the record."""


class Retention:
    """Keeps the record of one store to `keep_days`; `status` is the check's word on it."""

    def __init__(
        self, store: Store, keep_days: int, status: Callable[[], ChainStatus], *, now: Callable[[], float]
    ) -> None:
        self._store = store
        self._keep = timedelta(days=keep_days)
        self._status = status
        self._now = now
        self._letters_may_be_old = True

    async def run(self) -> None:
        """Remove what is due until cancelled."""
        while True:
            try:
                await self.round()
            except HomeError as error:
                log.error("Old days cannot be removed yet", extra=facts(reason=error))
            leave_if_stopped()
            await asyncio.sleep(_PATROL_SECONDS)

    async def round(self) -> Day | None:
        """Finish what was begun, then remove the oldest day if it is due; nothing from a record that is not whole."""
        await self._finish()
        status = self._status()
        if status.checked_at is None or status.broken is not None:
            return None
        if self._letters_may_be_old:
            await self._forget_letters()
        async with self._store.write() as connection:
            day = await _due(connection, self._now(), self._keep)
            if day is None:
                return None
            day = await _tell(connection, day, self._now())
        log.info("A day was removed from the record", extra=facts(day=day.day, rows=day.rows))
        self._letters_may_be_old = True
        await self._finish()
        await self._forget_letters()
        return day

    async def _forget_letters(self) -> None:
        """What tells of removed days alone; once a day is enough for that, and for what waited then."""
        while True:
            async with self._store.write() as connection:
                if not await old_letters.forget(connection, _BATCH):
                    break
            await asyncio.sleep(_REST_SECONDS)
        self._letters_may_be_old = False

    async def _finish(self) -> None:
        """Delete the rows of removed days, lowest first, so that what is left still joins what follows."""
        while True:
            async with self._store.write() as connection:
                last = removal.start(await walk.removed(connection)).row
                few = select(events.c.row).where(events.c.row <= last).order_by(events.c.row).limit(_BATCH)
                rows = (await connection.execute(few)).scalars().all()
                if rows:
                    await connection.execute(delete(events).where(events.c.row <= rows[-1]))
            if len(rows) < _BATCH:
                return
            await asyncio.sleep(_REST_SECONDS)


async def _due(connection: AsyncConnection, now: float, keep: timedelta) -> Day | None:
    """The oldest day, where it is over its time and no letter about it still waits."""
    first = (await connection.execute(select(events).order_by(events.c.row).limit(1))).first()
    if first is None:
        return None
    day = chain.from_microseconds(first.received_at).date()
    if day >= (datetime.fromtimestamp(now, tz=UTC) - keep).date():
        return None
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    later = select(events.c.row, events.c.previous).where(events.c.received_at >= chain.microseconds(midnight))
    follower = (await connection.execute(later.order_by(events.c.row).limit(1))).first()
    if follower is not None:
        last_row, after = follower.row - 1, follower.previous
    else:
        newest = select(events.c.row, events.c.hash).order_by(events.c.row.desc()).limit(1)
        last_row, after = (await connection.execute(newest)).one()
    if await _letter_waits(connection, last_row):
        return None
    return Day(day.isoformat(), first.row, last_row, first.previous, after, told_in=0)


async def _tell(connection: AsyncConnection, day: Day, now: float) -> Day:
    made = removal.arrival(day, now)
    receipts, _ = await records.record(connection, [made], now, records.in_silence)
    day = day._replace(told_in=receipts[arrivals.OURSELVES, made.event.id].row)
    await connection.execute(insert(days).values(day._asdict()))
    return day


async def _letter_waits(connection: AsyncConnection, last_row: int) -> bool:
    """Whether a letter that still has to leave tells of a row up to `last_row`, by itself or within a digest."""
    about = or_(letters.c.intent <= last_row, letters.c.outcome <= last_row)
    waiting = select(letters.c.id).where(about, old_letters.waits())
    return (await connection.execute(waiting.limit(1))).first() is not None
