"""Removes happenings that are older than they are kept, and the numbers of those that nobody can ask for any more."""

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import chain
from alert_service.chain.arrivals import OURSELVES
from alert_service.happenings.keeping import oldest_kept, pass_by
from alert_service.happenings.passing import Kept
from alert_service.tables import happenings, passed
from shared.keeping.database import Store
from shared.proof.spool import KEPT_SECONDS
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts
from shared.words.messages import utc
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_BATCH = 500
"""Rows that one transaction deletes: acts wait for no more."""
_REST_SECONDS = 0.02
_PATROL_SECONDS = 600.0
ASKED_FOR_SECONDS = KEPT_SECONDS + 86_400
"""A number of a happening that is gone stays known for a day longer than its producer keeps it."""


class Retention:
    """Keeps the happenings of one store as `kept_as` says; `now` is seconds since 1970, as far as that is believed."""

    def __init__(self, store: Store, kept_as: Kept, *, now: Callable[[], float]) -> None:
        self._store = store
        self._kept_as = kept_as
        self._now = now

    async def run(self) -> None:
        """Remove what is due until cancelled."""
        while True:
            try:
                while await self.round():
                    leave_if_stopped()
                    await asyncio.sleep(_REST_SECONDS)
            except HomeError as error:
                log.error("Old happenings cannot be removed yet", extra=facts(reason=error))
            leave_if_stopped()
            await asyncio.sleep(_PATROL_SECONDS)

    async def round(self) -> bool:
        """Remove the oldest few that are due; whether there may be more."""
        now = self._now()
        async with self._store.write() as connection:
            return await self._remove(connection, now) + await _forget(connection, now) >= _BATCH

    async def _remove(self, connection: AsyncConnection, now: float) -> int:
        due = chain.microseconds(oldest_kept(now, self._kept_as))
        few = select(happenings.c.number, happenings.c.source, happenings.c.seq, happenings.c.received_at)
        few = few.where(happenings.c.at < due).order_by(happenings.c.at, happenings.c.number).limit(_BATCH)
        found = (await connection.execute(few)).all()
        if not found:
            return 0
        young = chain.microseconds(utc(now - ASKED_FOR_SECONDS))
        numbers = {
            (one.source, one.seq): one.received_at
            for one in found
            if one.received_at >= young and one.seq > 0 and one.source != OURSELVES
        }
        if numbers:
            await pass_by(connection, [(source, seq, at) for (source, seq), at in numbers.items()])
        await connection.execute(delete(happenings).where(happenings.c.number.in_([one.number for one in found])))
        return len(found)


async def known_until(store: Store) -> float:
    """When the newest happening came, in seconds since 1970; 0 where there is none."""
    async with store.read() as connection:
        newest: int | None = (await connection.execute(select(func.max(happenings.c.received_at)))).scalar()
    return 0.0 if newest is None else chain.from_microseconds(newest).timestamp()


async def _forget(connection: AsyncConnection, now: float) -> int:
    due = passed.c.received_at < chain.microseconds(utc(now - ASKED_FOR_SECONDS))
    oldest = select(passed.c.received_at).where(due).order_by(passed.c.received_at)
    last = (await connection.execute(oldest.offset(_BATCH - 1).limit(1))).scalar()
    gone = delete(passed).where(due if last is None else passed.c.received_at <= last)
    return (await connection.execute(gone)).rowcount
