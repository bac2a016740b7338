"""The service's own check of the chain: after a start, then daily from the beginning, and in between what is new.

It rests between batches, so that nobody waits for it. A record that was tampered with is told once per broken row.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable

import msgspec

from alert_service.chain import arrivals, chain
from alert_service.chain.arrivals import Arrival
from alert_service.chain.chain import Broken, Verdict
from alert_service.record import records, walk
from shared.keeping.database import Store
from shared.running import backoff
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts
from shared.words.internal_alerts import ChainBroken, ChainStatus
from shared.words.messages import AuditEvent, Who, utc
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

CHAIN_BROKEN = "audit:chain-broken"
_REST_SECONDS = 0.05
"""Between two batches: one takes a few milliseconds, so the check has a small part of one core."""
_GO_ON_SECONDS = 60.0
_AGAIN_SECONDS = 86_400.0


class Check:
    """Checks the record of one store.

    `recorded` is called when it told of something, and `followed` where a letter will; `follow` by `records.record`.
    """

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], float],
        recorded: Callable[[], None],
        followed: Callable[[], None] = lambda: None,
        follow: records.Follow,
    ) -> None:
        self._store = store
        self._follow = follow
        self._now = now
        self._recorded = recorded
        self._followed = followed
        self.status = ChainStatus(row=0, hash=chain.GENESIS)

    async def run(self) -> None:
        """Check until cancelled."""
        trouble = 0
        while True:
            try:
                began = self._now()
                await self.whole()
                while self._now() - began < _AGAIN_SECONDS:
                    trouble = 0
                    await asyncio.sleep(_GO_ON_SECONDS)
                    leave_if_stopped()
                    await self.go_on()
            except HomeError as error:
                log.error("The record cannot be checked yet", extra=facts(reason=error))
                await asyncio.sleep(backoff.delay(trouble, first=1.0, most=60.0))
                trouble += 1
            leave_if_stopped()

    async def whole(self) -> None:
        """Check everything; until it is through, the status keeps what was known before."""
        verdict = await self._last(walk.walk(self._store, rest=_REST_SECONDS))
        await self._settle(verdict)

    async def go_on(self) -> None:
        """Check what is new since; after a broken row nothing can be said."""
        status = self.status
        if status.broken is None:
            sound = Verdict(row=status.row, head=status.hash)
            verdict = await self._last(walk.extend(self._store, sound, rest=_REST_SECONDS))
            await self._settle(verdict)

    async def _last(self, verdicts: AsyncIterator[Verdict]) -> Verdict:
        last: Verdict | None = None
        async for last in verdicts:
            leave_if_stopped()
            if self.status.checked_at is None and last.broken is None:
                self.status = ChainStatus(row=last.row, hash=last.head)
        assert last is not None, "a walk has at least one verdict"
        return last

    async def _settle(self, verdict: Verdict) -> None:
        broken = verdict.broken
        if broken is not None:
            log.error("The record was tampered with", extra=facts(row=broken.row, reason=broken.reason))
            async with self._store.write() as connection:
                told = await records.record(connection, [_arrival(broken, self._now())], self._now(), self._follow)
            self._recorded()
            if told.followed:
                self._followed()
        self.status = ChainStatus(
            row=verdict.row,
            hash=verdict.head,
            checked_at=utc(self._now()),
            broken=ChainBroken(row=broken.row, reason=broken.reason) if broken is not None else None,
        )


def _arrival(broken: Broken, now: float) -> Arrival:
    """The security event; the same fault of the same row has the same id, so that it is told once."""
    name = hashlib.sha256(msgspec.json.encode([broken.row, broken.reason])).hexdigest()[:16]
    return Arrival(
        arrivals.OURSELVES,
        AuditEvent(
            id=f"chain-broken:{name}",
            at=utc(now),
            what=CHAIN_BROKEN,
            where=arrivals.OURSELVES,
            who=Who(issuer=arrivals.OURSELVES),
            outcome=Outcome.FAILED,
            severity=Severity.SECURITY,
            detail={"row": str(broken.row), "told": broken.reason},
        ),
    )
