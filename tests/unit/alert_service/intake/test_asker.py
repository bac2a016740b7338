"""The asker on a real database and a link of the test's: it asks by itself, and says what is gone once."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from alert_service.chain.arrivals import Arrival
from alert_service.chain.spans import read_spans
from alert_service.intake import asker as asking
from alert_service.intake import gaps
from alert_service.intake.asker import Asker
from alert_service.record import records
from shared.broker.mqtt import NO_MATCHING_SUBSCRIBERS
from shared.keeping.database import Store
from shared.words import messages, topics
from shared.words.messages import AuditEvent, Resend
from shared.words.names import Severity
from shared.words.problem import HomeError
from tests.house import DEADLINE
from tests.unit.alert_service.parts import HOUSE, Clock, delivery, event


class Producer:
    """A link with one source behind it, `hall`; it keeps events by number and answers what is asked."""

    def __init__(self, asker: Asker) -> None:
        self.asker = asker
        self.kept: dict[int, AuditEvent] = {}
        self.recorded: set[int] = set()
        self.asked: list[Resend] = []
        self.noted: list[Arrival] = []
        self.down = self.away = False
        self.some = asyncio.Event()

    def send(self, topic: str, payload: bytes) -> asyncio.Future[int]:
        self.some.set()
        if self.down:
            raise HomeError("broker-unreachable")
        if topic != topics.resend("hall"):
            assert topic in {topics.resend(name) for name in asking.HUB_SOURCES}
            return _reason(NO_MATCHING_SUBSCRIBERS)
        asked = messages.decode(Resend, payload)
        self.asked.append(asked)
        if not self.away:
            wanted = {*asked.seq, *(n for n in self.kept if asked.after is not None and n > asked.after)}
            for n in sorted(wanted & set(self.kept)):
                self.recorded.add(n)
                self.asker.heard(Arrival("hall", self.kept[n]))
        return _reason(NO_MATCHING_SUBSCRIBERS if self.away else 0)

    def note(self, arrival: Arrival) -> None:
        self.noted.append(arrival)
        self.some.set()

    async def until(self, numbers: set[int]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not numbers <= self.recorded:
                self.some.clear()
                await self.some.wait()


def _reason(code: int) -> asyncio.Future[int]:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    future.set_result(code)
    return future


def numbered(*numbers: int) -> list[AuditEvent]:
    return [event(id=f"e{n}", seq=n, where="hall", severity=Severity.INFO) for n in numbers]


@pytest.fixture
def producer(store: Store, clock: Clock) -> Producer:
    return Producer(Asker(store, now=clock))


@pytest.fixture
async def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRACE_SECONDS", "SOON_SECONDS", "_FIRST_WAIT"):
        monkeypatch.setattr(gaps, name, 0.01)
    monkeypatch.setattr(gaps, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(gaps, "_LONGEST_WAIT", 0.02)
    monkeypatch.setattr(gaps, "_ABSENT_WAIT", 0.02)
    monkeypatch.setattr(asking, "PATROL_SECONDS", 0.01)


@pytest.fixture
async def rolled_back(quick: None, store: Store, producer: Producer) -> AsyncIterator[Producer]:
    """The database knows 1, 2 and 5; the source has 1 to 9 but for 3."""
    producer.kept = {one.seq: one for one in numbered(1, 2, 4, 5, 6, 7, 8, 9)}
    async with store.write() as connection:
        await records.record(connection, [Arrival("hall", one) for one in numbered(1, 2, 5)], 0.0, HOUSE)
    running = asyncio.create_task(producer.asker.run(producer, note=producer.note))
    yield producer
    running.cancel()
    await asyncio.wait({running})


async def test_an_older_copy_is_filled_without_a_new_event_and_what_is_gone_told_once(rolled_back: Producer) -> None:
    await rolled_back.until({4, 6, 7, 8, 9})
    async with asyncio.timeout(DEADLINE):
        while not rolled_back.noted:
            rolled_back.some.clear()
            await rolled_back.some.wait()
    (told,) = rolled_back.noted
    assert told.event.what == gaps.MISSING
    assert read_spans(told.event.detail[gaps.NUMBERS]) == [(3, 3)]
    assert len([one for one in rolled_back.asked if 3 in one.seq]) == gaps.TRIES


async def test_a_link_that_is_down_and_a_source_that_is_away_are_asked_again(rolled_back: Producer) -> None:
    rolled_back.down = True
    async with asyncio.timeout(DEADLINE):
        await rolled_back.some.wait()
    rolled_back.down, rolled_back.away = False, True
    async with asyncio.timeout(DEADLINE):
        while len(rolled_back.asked) < 3 * gaps.TRIES:
            rolled_back.some.clear()
            await rolled_back.some.wait()
    assert rolled_back.noted == []
    rolled_back.away = False
    await rolled_back.asker.link_up()
    await rolled_back.until({4, 6, 7, 8, 9})


async def test_what_is_recorded_but_forgotten_here_is_not_told(quick: None, store: Store, producer: Producer) -> None:
    async with store.write() as connection:
        await records.record(connection, [Arrival("hall", one) for one in numbered(1, 2, 3, 5)], 0.0, HOUSE)
    producer.away = True
    running = asyncio.create_task(producer.asker.run(producer, note=producer.note))
    async with asyncio.timeout(DEADLINE):
        await producer.some.wait()  # it has read what is recorded
    async with store.write() as connection:
        await records.record(connection, [Arrival("hall", one) for one in numbered(4, 20)], 0.0, HOUSE)
    producer.away = False
    producer.asker.heard(Arrival("hall", numbered(20)[0]))
    async with asyncio.timeout(DEADLINE):
        while not producer.noted:
            producer.some.clear()
            await producer.some.wait()
    running.cancel()
    await asyncio.wait({running})
    assert [read_spans(one.event.detail[gaps.NUMBERS]) for one in producer.noted] == [[(6, 19)]]


async def test_a_room_is_met_by_its_availability_and_asked(quick: None, producer: Producer) -> None:
    producer.kept = {one.seq: one for one in numbered(5, 6)}
    for topic in (topics.availability("hall"), topics.availability("No such room"), topics.state("x", "y"), "nonsense"):
        producer.asker.hear(delivery("", b"{}", topic=topic))
    running = asyncio.create_task(producer.asker.run(producer, note=producer.note))
    await producer.until({5, 6})
    running.cancel()
    await asyncio.wait({running})
    assert producer.noted == []


async def test_refused_and_dropped_events_count_as_heard(producer: Producer) -> None:
    heard, asker = numbered(1, 9), producer.asker
    for one in heard:
        asker.heard(Arrival("hall", one))
    incident = Arrival("alerts", event(where="hall"), instead_of=("hall", "e2"), number=2)
    asker.heard(incident)
    asker.heard(Arrival("alerts", event(where="hall", seq=77)))  # our own number is not the hall's
    dropped = msgspec.structs.replace(
        numbered(10)[0], what="audit:dropped", detail={"first": "3", "last": "8", "events": "6"}
    )
    asker.heard(Arrival("hall", dropped))
    assert list(asker._gaps._sources["hall"].known) == [(0, 10)]
    for detail in ({}, {"first": "x"}, {"first": "9", "last": "1"}, {"first": "1" * 99, "last": "2" * 99}):
        asker.heard(Arrival("hall", msgspec.structs.replace(dropped, detail=detail)))
    assert list(asker._gaps._sources) == ["hall"]
