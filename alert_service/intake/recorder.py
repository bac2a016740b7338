"""Takes audit events off the broker: gathers what is there, commits it, and only then acknowledges and receipts.

A crash in between makes the broker offer the events again; they are found known and receipted once more. What a flood
brings beyond its source's share is acknowledged before (see inbox): its producer keeps it until the receipt.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from alert_service.chain import arrivals
from alert_service.chain.arrivals import Arrival
from alert_service.intake.inbox import Fate, Inbox, Taken
from alert_service.record import records
from shared.broker.bus import Delivery
from shared.keeping.database import Store
from shared.running import backoff
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts, security
from shared.running.seldom import Seldom
from shared.words import messages, topics
from shared.words.messages import ReceiptLine
from shared.words.names import Severity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

BATCH = 200
"""Events in one transaction; nobody's event waits for more than the batch under way and its own turn."""
_RECEIPT_LINES = 200
"""Lines in one receipt: about 30 KB, below the broker's limit."""
_FLOODS = 1024


class Link(Protocol):
    """What the recorder needs of the bus."""

    def acknowledge(self, delivery: Delivery) -> None:
        """Tell the broker that this one is safe with us."""

    def send(self, topic: str, payload: bytes) -> asyncio.Future[int]:
        """Publish; raises HomeError when nothing was sent."""


class Pending(NamedTuple):
    """One arrival on its way into the chain, and the message that brought it, if one did."""

    arrival: Arrival
    delivery: Delivery | None


class Recorder:
    """One inbox, one writer. `recorded` is called after each batch that may have made letters, which `follow` opens.

    `heard` gets every arrival once it is on the disk.
    """

    def __init__(
        self,
        store: Store,
        *,
        recorded: Callable[[], None],
        follow: records.Follow,
        heard: Callable[[Arrival], None] = lambda _arrival: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._follow = follow
        self._writing = asyncio.Lock()
        self._recorded = recorded
        self._heard = heard
        self._now = now
        self._inbox: Inbox[Pending] = Inbox()
        self._some = asyncio.Event()
        self._link: Link | None = None
        self._floods = Seldom(arrivals.COALESCED_SECONDS, most=_FLOODS)
        self.failing = False

    def hear(self, delivery: Delivery) -> None:
        """Take a message from the bus."""
        arrival = arrivals.read(delivery.topic, delivery.payload, self._now())
        if arrival is None:
            self._confirm(delivery)
            return
        source = arrivals.whose(arrival)
        size = min(len(delivery.payload), arrivals.MAX_EVENT_BYTES)
        fate = self._inbox.put(source, Pending(arrival, delivery), size)
        if fate is not Fate.HELD:
            self._confirm(delivery)
        if fate is Fate.DROPPED:
            self._tell_flood(source)
        self._some.set()

    def note(self, arrival: Arrival) -> None:
        """Take an event of our own."""
        self._inbox.keep(arrival.source, Pending(arrival, None))
        self._some.set()

    def forget(self) -> None:
        """The connection is gone: what was not acknowledged on it comes again."""
        self._inbox.forget()

    async def run(self, link: Link) -> None:
        """Record until cancelled."""
        self._link = link
        while True:
            leave_if_stopped()
            batch = self._inbox.take(BATCH)
            if batch:
                await self._settle(batch, link)
            else:
                self._some.clear()
                await self._some.wait()

    async def tell(self, own: Arrival) -> None:
        """Record an event of our own; returns once it is committed. The chain has one writer at a time."""
        async with self._writing:
            await self._commit([own])
        self._recorded()

    def _confirm(self, delivery: Delivery) -> None:
        if self._link is not None:
            self._link.acknowledge(delivery)

    def _tell_flood(self, source: str) -> None:
        now = self._now()
        if self._floods.is_due(source, now):
            self._floods.said(source, now)
            told = "more events at once than can wait; some are recorded only if it sends them again"
            self.note(arrivals.incident("flood", source, told, now))

    async def _settle(self, batch: list[Taken[Pending]], link: Link) -> None:
        told = [taken.item.arrival for taken in batch]
        for arrival in told:
            if arrival.source == arrivals.OURSELVES and arrival.event.severity is Severity.SECURITY:
                security("audit_refused", source=arrival.event.where, **arrival.event.detail)
        async with self._writing:
            receipts = await self._commit(told)
        for taken in batch:
            if taken.held and taken.item.delivery is not None:
                link.acknowledge(taken.item.delivery)
        self._inbox.settled(batch)
        for arrival in told:
            self._heard(arrival)
        self._recorded()
        _publish(link, receipts)

    async def _commit(self, told: list[Arrival]) -> dict[records.Key, ReceiptLine]:
        """Record the batch, however long the database takes to let us."""
        attempt = 0
        while True:
            leave_if_stopped()
            try:
                async with self._store.write() as connection:
                    receipts = await records.record(connection, told, self._now(), self._follow)
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
