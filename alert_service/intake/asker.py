"""Asks the producers for the events that are missing, and records once what nobody has any more. `gaps` decides."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from alert_service.chain import arrivals
from alert_service.chain.arrivals import Arrival
from alert_service.chain.spans import Span, in_texts, read_spans, write_spans
from alert_service.intake import gaps, seq_rows
from alert_service.intake.gaps import Ask, Gaps, Missing
from shared.broker.bus import Delivery
from shared.broker.mqtt import NO_MATCHING_SUBSCRIBERS
from shared.keeping.database import Store
from shared.proof.spool_rows import DROPPED
from shared.proof.together import TOGETHER
from shared.running import backoff
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts
from shared.words import messages, topics
from shared.words.messages import Resend
from shared.words.names import is_identity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

PATROL_SECONDS = 1.0
HUB_SOURCES = ("auth", "gateway")
"""Asked even where nothing of theirs is recorded; rooms are met by their availability, others when they say something.
"""
_LOOKED_UP = 10_000
_FRESH_SECONDS = 30.0
"""An event this young by its own clock is news, and no answer. One whose clock is wrong may be either, as before."""


class Link(Protocol):
    """What the asker needs of the bus."""

    def send(self, topic: str, payload: bytes) -> asyncio.Future[int]:
        """Publish; raises HomeError when nothing was sent. The future has PUBACK's reason code."""


class Asker:
    """One for all sources. `now` is in seconds since 1970."""

    def __init__(self, store: Store, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now
        self._gaps = Gaps()

    def heard(self, arrival: Arrival) -> None:
        """This one is recorded."""
        number = arrival.number if arrival.source == arrivals.OURSELVES else arrival.event.seq
        if number is not None:
            fresh = abs(self._now() - arrival.event.at.timestamp()) < _FRESH_SECONDS
            self._gaps.heard(arrivals.whose(arrival), number, _clock(), fresh=fresh)
        if arrival.event.what == DROPPED and arrival.source != arrivals.OURSELVES:
            gone = arrival.event.detail
            for span in read_spans(f"{gone.get('first')}-{gone.get('last')}"):
                self._gaps.know(arrival.source, *span)

    def hear(self, delivery: Delivery) -> None:
        """Meet a room by its availability."""
        topic = topics.parse(delivery.topic)
        if topic is not None and topic.kind is topics.TopicKind.AVAILABILITY and is_identity(topic.room):
            self._gaps.meet(topic.room, _clock())

    async def link_up(self) -> None:
        """The broker is there anew; so may be an older copy of our database."""
        self._gaps.link_up(_clock())

    async def run(self, link: Link, *, note: Callable[[Arrival], None]) -> None:
        """Ask until cancelled; `note` records an event of our own."""
        await self._recall()
        while True:
            leave_if_stopped()
            for ask in self._gaps.due(_clock()):
                self._ask(ask, link)
            for missing in self._gaps.missing(_clock()):
                await self._tell(missing, note)
            await asyncio.sleep(PATROL_SECONDS)

    async def _recall(self) -> None:
        """What is recorded already, however long the database takes to say."""
        attempt = 0
        while True:
            leave_if_stopped()
            try:
                async with self._store.read() as connection:
                    known = await seq_rows.recorded(connection)
                break
            except HomeError as error:
                log.error("Recorded numbers cannot be read yet", extra=facts(reason=error))
                await asyncio.sleep(backoff.delay(attempt, first=1.0, most=30.0))
                attempt += 1
        for source, first, last in known:
            self._gaps.know(source, first, last)
        for source in HUB_SOURCES:
            self._gaps.meet(source, _clock())
        self._gaps.link_up(_clock())

    def _ask(self, ask: Ask, link: Link) -> None:
        def answered(sent: asyncio.Future[int]) -> None:
            if sent.cancelled() or sent.exception() is not None or sent.result() == NO_MATCHING_SUBSCRIBERS:
                self._gaps.unheard(ask, _clock())

        wanted = Resend(seq=ask.seq, after=ask.after, together=TOGETHER)
        try:
            sent = link.send(topics.resend(ask.source), messages.encode(wanted))
        except HomeError:
            self._gaps.unheard(ask, _clock())
            return
        log.info("Asked for events", extra=facts(source=ask.source, listed=len(ask.seq), after=ask.after))
        sent.add_done_callback(answered)

    async def _tell(self, missing: Missing, note: Callable[[Arrival], None]) -> None:
        """Record that these are gone, unless they are recorded and only too old to be remembered here."""
        try:
            spans = [span for span in missing.spans for span in await self._unrecorded(missing.source, span)]
        except HomeError as error:
            log.error("Recorded numbers cannot be read yet", extra=facts(reason=error))
            spans = list(missing.spans)  # better told in vain than not at all
        if spans:
            note(report(Missing(missing.source, tuple(spans)), self._now()))

    async def _unrecorded(self, source: str, span: Span) -> list[Span]:
        async with self._store.read() as connection:
            known = await seq_rows.between(connection, source, span, _LOOKED_UP)
        return gaps.without(span, known)


def report(missing: Missing, now: float) -> Arrival:
    """The security event about what a source no longer has; its id is made of what it tells, so it is told once."""
    made = arrivals.incident("missing", missing.source, _words(missing), now)
    spans = gaps.reported(missing.spans)
    name = hashlib.sha256(msgspec.json.encode([missing.source, write_spans(spans)])).hexdigest()[:32]
    texts = enumerate(in_texts(spans), 1)
    numbers = {gaps.NUMBERS if n == 1 else f"{gaps.NUMBERS}-{n}": text for n, text in texts}
    event = msgspec.structs.replace(
        made.event,
        id=f"missing:{name}",
        detail=made.event.detail | numbers,
    )
    return msgspec.structs.replace(made, event=event)


def _words(missing: Missing) -> str:
    if any(gaps.is_jump(span) for span in missing.spans):
        return "it began to number anew: what it had not told before may be lost"
    return f"it no longer has {missing.events} of its events"


def _clock() -> float:
    return asyncio.get_running_loop().time()
