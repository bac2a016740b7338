"""Watches what the hub's units note about services that ended unasked, and records that they were replaced.

What was told is found again in the record, so that a restart neither repeats nor forgets it.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy import func, select

from alert_service.chain.arrivals import OURSELVES, Arrival
from alert_service.record.records import as_row
from alert_service.tables import events
from shared.keeping.database import Store
from shared.proof import ends
from shared.running.lifecycle import go_round
from shared.running.log import facts

log = logging.getLogger(__name__)

RUN = Path("/run")
_UNITS = "homesystem-*"
_OF_ROOMS = "homesystem-agent-"
"""A room tells its own ends itself, wherever its agent runs."""
_LOOK_SECONDS = 5.0


class EndsWatch:
    """`told`: the last end that was told of each service; `record` returns once an event of ours is committed."""

    def __init__(
        self,
        told: dict[str, float],
        record: Callable[[Arrival], Awaitable[None]],
        *,
        run: Path = RUN,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._told = told
        self._record = record
        self._run = run
        self._now = now

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        await go_round(self.look, _LOOK_SECONDS)

    async def look(self) -> None:
        """Once."""
        for folder in sorted(self._run.glob(_UNITS)):
            if folder.name.startswith(_OF_ROOMS):
                continue
            name = folder.name.removeprefix("homesystem-")
            told = self._told.get(name, 0.0)
            if 0 <= self._now() - told < ends.AT_MOST_EVERY:
                continue
            try:
                noted = ends.read(folder / ends.NOTE)
            except OSError as error:
                log.warning("What ended cannot be read", extra=facts(service=name, reason=error))
                continue
            if new := [end for end in noted if end.at > told + 0.0005]:
                await self._record(Arrival(OURSELVES, ends.event(name, OURSELVES, new)))
                self._told[name] = new[-1].at


async def told_replaced(store: Store) -> dict[str, float]:
    """When each service last ended, of what was told already; from the record."""
    ours = events.c.source == OURSELVES, events.c.what == ends.REPLACED
    last = select(func.max(events.c.row)).where(*ours).group_by(events.c.place)
    async with store.read() as connection:
        found = (await connection.execute(select(events).where(events.c.row.in_(last)))).all()
    rows = [as_row(one) for one in found]
    return {row.event.where: row.event.at.timestamp() for row in rows}
