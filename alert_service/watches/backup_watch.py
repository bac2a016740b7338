"""Tells by letter that a backup failed, and that the last good one is old: nobody looks for what silently is not there.

Known from what the hub's command leaves. What was told is found again in the record, so that a restart does not repeat
it.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

from sqlalchemy import select

from alert_service.chain.arrivals import OURSELVES, Arrival
from alert_service.tables import events
from shared.keeping import notes
from shared.keeping.database import Store
from shared.running.lifecycle import go_round
from shared.running.log import facts
from shared.words.messages import AuditEvent, Who, utc
from shared.words.names import Outcome, Severity
from shared.words.noted import BACKUP_DAYS, BackupTarget
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

FAILED, OLD = "backup:failed", "backup:old"
THRESHOLDS = (BACKUP_DAYS, 7, 30)
"""Days after the last good one at which that is told."""
_WHERE = "hub/backups"
_LOOK_SECONDS = 600.0
_DAY = 86400.0
_MOST = 300
"""Characters of a reason: it may have what another machine said in it."""
_STEP = "on the hub: homesystem doctor, and docs/backup.md"


class BackupWatch:
    """`told` are the ids of what was told; `record` returns once an event of ours is committed.

    A home whose backups go nowhere, or are made by hand, gets no letter: the doctor and the house's page say so.
    """

    def __init__(
        self,
        folder: Path,
        told: Collection[str],
        record: Callable[[Arrival], Awaitable[None]],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._told = set(told)
        self._record = record
        self._now = now

    async def run(self) -> None:
        """Look every ten minutes until cancelled."""
        await go_round(self.look, _LOOK_SECONDS)

    async def look(self) -> None:
        """Once. A failure is told once after each good one, and of its age each threshold once, the highest alone."""
        try:
            target = notes.read(self._folder, BackupTarget)
        except HomeError as error:
            log.warning("How backups went cannot be read", extra=facts(reason=error))
            return
        if target is None or not target.where:
            return
        last = target.good or target.since
        mark = f"{int(last.timestamp())}"
        days = (self._now() - last.timestamp()) / _DAY
        if over := [threshold for threshold in THRESHOLDS if days >= threshold]:
            await self._tell(OLD, f"backup-old:{mark}:{max(over)}", target, days=str(int(days)))
        elif target.failure:
            await self._tell(FAILED, f"backup-failed:{mark}", target)

    async def _tell(self, what: str, event_id: str, target: BackupTarget, **detail: str) -> None:
        if event_id in self._told:
            return
        if target.good is not None:
            detail["made_at"] = target.good.isoformat()
        if target.failure:
            detail["because"] = target.failure[:_MOST]
        event = AuditEvent(
            id=event_id,
            at=utc(self._now()),
            what=what,
            where=_WHERE,
            who=Who(issuer=OURSELVES),
            outcome=Outcome.FAILED,
            severity=Severity.CRITICAL,
            detail=detail | {"step": _STEP},
        )
        await self._record(Arrival(OURSELVES, event))
        self._told.add(event_id)


async def told_of_backups(store: Store) -> set[str]:
    """The ids of what was told, from the record."""
    ours = select(events.c.id).where(events.c.source == OURSELVES, events.c.what.in_((FAILED, OLD)))
    async with store.read() as connection:
        return set((await connection.execute(ours)).scalars())
