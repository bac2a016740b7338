"""Takes audit events off the broker: gathers what is there, commits it, and only then acknowledges and receipts.

A crash in between makes the broker offer the events again; they are found known and receipted once more.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from alert_service import arrivals, records
from alert_service.arrivals import Arrival
from alert_service.policy import Policy
from shared import backoff, messages, topics
from shared.bus import Delivery
from shared.database import Store
from shared.lifecycle import leave_if_stopped
from shared.log import facts
from shared.messages import ReceiptLine
from shared.problem import HomeError

log = logging.getLogger(__name__)

BATCH = 200
"""As many as the broker lets be under way (`max_inflight_messages`)."""
_RECEIPT_LINES = 200
"""Lines in one receipt: about 30 KB, below the broker's limit."""


class Link(Protocol):
    """What the recorder needs of the bus."""

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker that this one is safe with us."""

    def send(self, topic: str, payload: bytes) -> asyncio.Future[int]:
        """Publish; raises HomeError when nothing was sent."""


class Recorder:
    """One inbox, one writer. `recorded` is called after each batch that may have made letters."""

    def __init__(
        self,
        store: Store,
        *,
        recorded: Callable[[], None],
        policy: Policy = records.HOUSE_POLICY,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._policy = policy
        self._writing = asyncio.Lock()
        self._recorded = recorded
        self._now = now
        self._inbox: asyncio.Queue[Delivery] = asyncio.Queue()
        self.failing = False

    def hear(self, delivery: Delivery) -> None:
        """Take a message from the bus."""
        self._inbox.put_nowait(delivery)

    def forget(self) -> None:
        """The connection is gone: what was not acknowledged on it comes again."""
        while not self._inbox.empty():
            self._inbox.get_nowait()

    async def run(self, link: Link) -> None:
        """Record until cancelled."""
        while True:
            leave_if_stopped()
            batch = [await self._inbox.get()]
            while len(batch) < BATCH and not self._inbox.empty():
                batch.append(self._inbox.get_nowait())
            await self._settle(batch, link)

    async def tell(self, own: Arrival) -> None:
        """Record an event of our own; returns once it is committed. The chain has one writer at a time."""
        async with self._writing:
            await self._commit([own])
        self._recorded()

    async def _settle(self, batch: list[Delivery], link: Link) -> None:
        now = self._now()
        read = [arrivals.read(delivery.topic, delivery.payload, now) for delivery in batch]
        told = [arrival for arrival in read if arrival is not None]
        for arrival in told:
            if arrival.source == arrivals.OURSELVES:
                log.warning("Audit event refused", extra=facts(source=arrival.event.where, **arrival.event.detail))
        async with self._writing:
            receipts = await self._commit(told)
        for delivery in batch:
            link.acknowledge(delivery)
        self._recorded()
        _publish(link, receipts)

    async def _commit(self, told: list[Arrival]) -> dict[records.Key, ReceiptLine]:
        """Record the batch, however long the database takes to let us."""
        attempt = 0
        while True:
            leave_if_stopped()
            try:
                async with self._store.write() as connection:
                    receipts = await records.record(connection, told, self._now(), self._policy)
            except HomeError as error:
                if error.slug == "invalid-value":
                    return await self._one_by_one(told)
                self.failing = True
                log.error("Events cannot be recorded yet", extra=facts(events=len(told), attempt=attempt))
                await asyncio.sleep(backoff.delay(attempt, first=0.2, most=10.0))
                attempt += 1
            else:
                self.failing = False
                return receipts

    async def _one_by_one(self, told: list[Arrival]) -> dict[records.Key, ReceiptLine]:
        """The database refuses something in the batch: the others are recorded, and that one becomes an incident."""
        if len(told) == 1:
            refused = told[0]
            if refused.source == arrivals.OURSELVES:
                raise HomeError("internal", "the database refuses an event of our own")
            made = arrivals.incident("malformed", refused.source, "the database refused it", self._now())
            key = (refused.source, refused.event.id)
            return await self._commit([msgspec.structs.replace(made, instead_of=key)])
        receipts: dict[records.Key, ReceiptLine] = {}
        for one in told:
            receipts |= await self._commit([one])
        return receipts


def _publish(link: Link, receipts: dict[records.Key, ReceiptLine]) -> None:
    by_source: dict[str, list[ReceiptLine]] = {}
    for (source, _), line in receipts.items():
        if source != arrivals.OURSELVES:
            by_source.setdefault(source, []).append(line)
    for source, lines in by_source.items():
        for first in range(0, len(lines), _RECEIPT_LINES):
            receipt = messages.Receipt(events=tuple(lines[first : first + _RECEIPT_LINES]))
            try:
                sent = link.send(topics.receipt(source), messages.encode(receipt))
            except HomeError as error:
                # The source offers its events again, and gets its receipt then.
                log.warning("Receipt could not be sent", extra=facts(source=source, reason=error))
            else:
                sent.add_done_callback(lambda future: future.cancelled() or future.exception())
