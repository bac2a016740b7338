"""Takes audit events off the broker: gathers them, commits them together, and only then acknowledges and receipts.

Ordinary events wait a moment for one another, since a transaction and a receipt cost as much for one as for fifty; what
is critical or of security waits for nothing but the commit under way, and takes with it what is there.
A crash in between makes the broker offer the events again; they are found known and receipted once more. What a flood
brings beyond its source's share is acknowledged before (see inbox): its producer keeps it until the receipt.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import arrivals
from alert_service.chain.arrivals import Arrival
from alert_service.happenings import keeping, passing
from alert_service.happenings.passing import MONTH, Kept
from alert_service.intake.inbox import Brought, Fate, Inbox, Taken
from alert_service.record import records
from alert_service.record.records import Recorded
from shared.broker.bus import Delivery
from shared.keeping.database import Store
from shared.proof.together import TOGETHER
from shared.running import backoff
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts, security
from shared.running.seldom import Seldom
from shared.running.waiting import woken
from shared.words import messages, topics
from shared.words.messages import ReceiptLine
from shared.words.names import Severity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

BATCH = 200
"""Events in one transaction; nobody's event waits for more than the batch under way and its own turn."""
GATHER_SECONDS = 0.1
"""So long does an ordinary event wait for others: nobody waits for its receipt, and readers look once a second."""
GATHERED = 90
"""So many ordinary events wait for no more: below what one source may have under way unconfirmed."""
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
    """One inbox, one writer. `recorded` is called after each batch, and `followed` where a letter is to tell of it.

    `follow` opens the letters, and `kept_as` says how happenings are kept; `heard` gets every arrival once it
    is on the disk.
    """

    def __init__(
        self,
        store: Store,
        *,
        recorded: Callable[[], None],
        follow: records.Follow,
        kept_as: Kept = MONTH,
        followed: Callable[[], None] = lambda: None,
        heard: Callable[[Arrival], None] = lambda _arrival: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._follow = follow
        self._kept_as = kept_as
        self._writing = asyncio.Lock()
        self._recorded = recorded
        self._followed = followed
        self._heard = heard
        self._now = now
        self._inbox: Inbox[Pending] = Inbox()
        self._some = asyncio.Event()
        self._enough = asyncio.Event()
        self._link: Link | None = None
        self._floods = Seldom(arrivals.COALESCED_SECONDS, most=_FLOODS)
        self.failing = False

    def hear(self, delivery: Delivery) -> None:
        """Take a message from the bus."""
        told = arrivals.read_all(delivery.topic, delivery.payload, self._now())
        if not told:
            self._confirm(delivery)
            return
        source = arrivals.whose(told[0])
        # An incident in place of what could not be read is small, and so is each of many events in one message.
        size = min(len(delivery.payload) // len(told), arrivals.MAX_EVENT_BYTES)
        brought = [Brought(Pending(one, delivery), size, _is_urgent(one), passing.is_passing(one)) for one in told]
        fate = self._inbox.put(source, brought)
        if fate is not Fate.HELD:
            self._confirm(delivery)
        if fate is Fate.DROPPED:
            self._tell_flood(source)
        self._came(urgent=any(one.urgent for one in brought))

    def note(self, arrival: Arrival) -> None:
        """Take an event of our own."""
        urgent = _is_urgent(arrival)
        self._inbox.keep(arrival.source, Pending(arrival, None), urgent=urgent)
        self._came(urgent=urgent)

    def forget(self) -> None:
        """The connection is gone: what was not acknowledged on it comes again."""
        self._inbox.forget()

    async def run(self, link: Link) -> None:
        """Record until cancelled."""
        self._link = link
        while True:
            leave_if_stopped()
            if len(self._inbox) < GATHERED and not self._enough.is_set():
                await self._some.wait()
                await woken(self._enough, GATHER_SECONDS)
            batch = self._inbox.take(BATCH)
            if not self._inbox:
                self._some.clear()
                self._enough.clear()
            if batch:  # a lost link may have taken away what there was
                await self._settle(batch, link)

    async def tell(self, own: Arrival) -> None:
        """Record an event of our own; returns once it is committed. The chain has one writer at a time."""
        async with self._writing:
            made = await self._commit([own])
        self._tell(made)

    def _tell(self, made: Recorded) -> None:
        self._recorded()
        if made.followed:
            self._followed()

    def _came(self, *, urgent: bool) -> None:
        self._some.set()
        if urgent or len(self._inbox) >= GATHERED:
            self._enough.set()

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
            made = await self._commit(told)
        for whole in self._inbox.settled(batch):
            if whole.delivery is not None:
                link.acknowledge(whole.delivery)
        for arrival in told:
            self._heard(arrival)
        self._tell(made)
        _publish(link, made.receipts)

    async def _commit(self, told: list[Arrival]) -> Recorded:
        """Record the batch, however long the database takes to let us."""
        attempt = 0
        while True:
            leave_if_stopped()
            try:
                async with self._store.write() as connection:
                    made = await self._written(connection, told)
            except HomeError as error:
                if error.slug == "invalid-value":
                    return await self._one_by_one(told)
                self.failing = True
                told = [one for one in told if not passing.is_passing(one)]  # acts first; the others come again
                log.error("Events cannot be recorded yet", extra=facts(events=len(told), attempt=attempt))
                await asyncio.sleep(backoff.delay(attempt, first=0.2, most=10.0))
                attempt += 1
                if not told:
                    return Recorded({}, followed=False)
            else:
                self.failing = False
                return made

    async def _written(self, connection: AsyncConnection, told: list[Arrival]) -> Recorded:
        """Acts into the chain, happenings beside it, in one transaction."""
        happened = [one for one in told if passing.is_passing(one)]
        if not happened:
            return await records.record(connection, told, self._now(), self._follow)
        receipts = await keeping.keep(connection, happened, self._now(), self._kept_as)
        acts = [one for one in told if not passing.is_passing(one)]
        if not acts:
            return Recorded(receipts, followed=False)
        made = await records.record(connection, acts, self._now(), self._follow)
        return made._replace(receipts=made.receipts | receipts)

    async def _one_by_one(self, told: list[Arrival]) -> Recorded:
        """The database refuses something in the batch: the others are recorded, and that one becomes an incident."""
        if len(told) == 1:
            refused = told[0]
            if refused.source == arrivals.OURSELVES:
                raise HomeError("internal", "the database refuses an event of our own")
            made = arrivals.incident("malformed", refused.source, "the database refused it", self._now())
            key = (refused.source, refused.event.id)
            return await self._commit([msgspec.structs.replace(made, instead_of=key)])
        receipts: dict[records.Key, ReceiptLine] = {}
        followed = False
        for one in told:
            recorded = await self._commit([one])
            receipts |= recorded.receipts
            followed = followed or recorded.followed
        return Recorded(receipts, followed=followed)


def _is_urgent(arrival: Arrival) -> bool:
    """Whether it waits for no others: a letter may tell of it."""
    return arrival.event.severity is not Severity.INFO


def _publish(link: Link, receipts: dict[records.Key, ReceiptLine]) -> None:
    by_source: dict[str, list[ReceiptLine]] = {}
    for (source, _), line in receipts.items():
        if source != arrivals.OURSELVES:
            by_source.setdefault(source, []).append(line)
    for source, lines in by_source.items():
        for first in range(0, len(lines), _RECEIPT_LINES):
            receipt = messages.Receipt(events=tuple(lines[first : first + _RECEIPT_LINES]), together=TOGETHER)
            try:
                sent = link.send(topics.receipt(source), messages.encode(receipt))
            except HomeError as error:
                # The source offers its events again, and gets its receipt then.
                log.warning("Receipt could not be sent", extra=facts(source=source, reason=error))
            else:
                sent.add_done_callback(lambda future: future.cancelled() or future.exception())
