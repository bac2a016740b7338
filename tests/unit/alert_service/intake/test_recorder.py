"""The recorder commits before it acknowledges, acknowledges everything, and survives whatever arrives."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import func, select

from alert_service.chain import arrivals
from alert_service.chain.arrivals import Arrival
from alert_service.intake import inbox
from alert_service.intake.recorder import Recorder
from alert_service.record import records
from alert_service.tables import events
from shared.keeping.database import Store
from shared.words.names import Severity
from shared.words.problem import HomeError
from tests.house import DEADLINE
from tests.unit.alert_service.parts import HOUSE, Clock, FakeLink, delivery, event


class Bench:
    """A running recorder."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.link = FakeLink()
        self.batches = 0
        self.store = store
        self.heard: list[Arrival] = []
        self.recorder = Recorder(store, recorded=self._recorded, heard=self.heard.append, now=clock, follow=HOUSE)

    def _recorded(self) -> None:
        self.batches += 1

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                self.link.heard.clear()
                await self.link.heard.wait()

    async def count(self) -> int:
        async with self.store.read() as connection:
            return int((await connection.execute(select(func.count()).select_from(events))).scalar_one())


@pytest.fixture
async def bench(store: Store, clock: Clock) -> AsyncIterator[Bench]:
    made = Bench(store, clock)
    running = asyncio.create_task(made.recorder.run(made.link))
    yield made
    running.cancel()
    await asyncio.wait({running})


async def test_events_are_acknowledged_and_receipted_after_the_commit(bench: Bench) -> None:
    one, two = delivery("hall", event(id="e1")), delivery("garage", event(id="e2", where="garage/door"))
    bench.recorder.hear(one)
    bench.recorder.hear(two)
    await bench.until(lambda: bool(bench.link.receipts("hall") and bench.link.receipts("garage")))
    assert bench.link.acknowledged == [one, two]
    assert [x.id for x in bench.link.receipts("hall")] == ["e1"]
    assert await bench.count() == 2
    assert [kind for kind, _ in bench.link.told[:2]] == ["acknowledged", "acknowledged"]
    assert bench.batches >= 1


async def test_a_redelivery_is_receipted_again_and_recorded_once(bench: Bench) -> None:
    again = event(id="e1")
    for _ in range(2):
        bench.recorder.hear(delivery("hall", again))
        await bench.until(lambda: bool(bench.link.receipts("hall")))
    await bench.until(lambda: len(bench.link.receipts("hall")) == 2)
    first, second = bench.link.receipts("hall")
    assert first == second
    assert await bench.count() == 1


async def test_rubbish_is_acknowledged_and_does_not_stop_what_follows(bench: Bench) -> None:
    rubbish = [b"", b"\xff", b"[" * 60000, b'{"x":' + b"[" * 15000, b"{}", b"null"]
    for payload in rubbish:
        bench.recorder.hear(delivery("hall", payload))
    bench.recorder.hear(delivery("hall", event(id="good")))
    await bench.until(lambda: bool(bench.link.receipts("hall")))
    assert len(bench.link.acknowledged) == len(rubbish) + 1
    assert [x.id for x in bench.link.receipts("hall")] == ["good"]
    assert await bench.count() == 3  # one malformed, one too large, one good


async def test_a_database_that_fails_delays_and_loses_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real, tries = records.record, 0

    async def record(*arguments: object) -> object:
        nonlocal tries
        tries += 1
        if tries < 3:
            assert bench.link.told == []
            raise HomeError("internal", "disk full")
        return await real(*arguments)  # type: ignore[arg-type]  # handed through as it came

    monkeypatch.setattr(records, "record", record)
    bench.recorder.hear(delivery("hall", event(id="e1")))
    await bench.until(lambda: bool(bench.link.receipts("hall")))
    assert tries == 3
    assert not bench.recorder.failing


async def test_an_event_that_the_database_refuses_becomes_an_incident(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = records.record

    async def record(connection: object, batch: list[Arrival], now: float, *more: object) -> object:
        if any(one.event.id == "poison" for one in batch):
            raise HomeError("invalid-value")
        return await real(connection, batch, now, *more)  # type: ignore[arg-type]  # handed through as it came

    monkeypatch.setattr(records, "record", record)
    for name in ("e1", "poison", "e2"):
        bench.recorder.hear(delivery("hall", event(id=name, severity=Severity.INFO)))
    await bench.until(lambda: len(bench.link.receipts("hall")) == 3)
    assert len(bench.link.acknowledged) == 3
    lines = {x.id: x.row for x in bench.link.receipts("hall")}
    assert lines == {"e1": 1, "poison": 2, "e2": 3}
    assert await bench.count() == 3


async def test_a_lost_link_stops_no_recording(bench: Bench) -> None:
    bench.link.down = True
    bench.recorder.hear(delivery("hall", event(id="e1")))
    await bench.until(lambda: len(bench.link.acknowledged) == 1)
    bench.link.down = False
    bench.recorder.hear(delivery("hall", event(id="e2")))
    await bench.until(lambda: bool(bench.link.receipts("hall")))
    assert await bench.count() == 2


async def test_a_flood_is_recorded_whole_and_receipted_in_pieces_the_broker_takes(bench: Bench) -> None:
    for n in range(1000):
        bench.recorder.hear(delivery("hall", event(id=f"e{n}", severity=Severity.INFO)))
    await bench.until(lambda: len(bench.link.receipts("hall")) == 1000)
    assert await bench.count() == 1000
    assert sorted(x.row for x in bench.link.receipts("hall")) == list(range(1, 1001))


async def test_what_came_on_a_lost_connection_is_forgotten(store: Store, clock: Clock) -> None:
    bench = Bench(store, clock)
    bench.recorder.hear(delivery("hall", event(id="old")))
    bench.recorder.forget()
    running = asyncio.create_task(bench.recorder.run(bench.link))
    bench.recorder.hear(delivery("hall", event(id="new")))
    await bench.until(lambda: bool(bench.link.receipts("hall")))
    running.cancel()
    await asyncio.wait({running})
    assert [x.id for x in bench.link.receipts("hall")] == ["new"]


async def test_what_is_refused_is_receipted_with_the_incidents_row(bench: Bench) -> None:
    refused = event(id="e1", detail={f"k{n}": "v" for n in range(33)})
    bench.recorder.hear(delivery("hall", refused))
    await bench.until(lambda: bool(bench.link.receipts("hall")))
    assert [(x.id, x.row) for x in bench.link.receipts("hall")] == [("e1", 1)]
    assert await bench.count() == 1


async def test_anothers_event_comes_before_the_rest_of_a_flood(bench: Bench) -> None:
    flood = [delivery("hall", event(id=f"e{n}", severity=Severity.INFO)) for n in range(5000)]
    for one in flood[:4000]:
        bench.recorder.hear(one)
    bench.recorder.hear(delivery("garage", event(id="door", where="garage/door")))
    for one in flood[4000:]:
        bench.recorder.hear(one)
    await bench.until(lambda: bool(bench.link.receipts("garage")))
    assert len(bench.link.receipts("hall")) < 2 * 200
    assert {flood.index(x) for x in bench.link.acknowledged[:1000]} >= set(range(200, 1000)), "confirmed at once"
    await bench.until(lambda: len(bench.link.receipts("hall")) == 5000)
    assert len(bench.link.acknowledged) == len({x.mid for x in bench.link.acknowledged}) == 5001
    assert await bench.count() == 5001
    assert [one.event.id for one in bench.heard if one.source == "hall"] == [f"e{n}" for n in range(5000)]


async def test_what_finds_no_place_is_dropped_unreceipted_and_told_once(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(store, clock)
    monkeypatch.setattr(bench.recorder, "_inbox", inbox.Inbox(events=150))
    running = asyncio.create_task(bench.recorder.run(bench.link))
    await asyncio.sleep(0)  # it waits for the first
    for n in range(400):
        bench.recorder.hear(delivery("hall", event(id=f"e{n}", severity=Severity.INFO)))
    bench.recorder.hear(delivery("garage", event(id="door", where="garage/door")))
    await bench.until(lambda: len(bench.link.acknowledged) == 401 and len(bench.link.receipts("hall")) == 150)
    assert [x.id for x in bench.link.receipts("garage")] == ["door"]
    floods = [one.event for one in bench.heard if one.source == arrivals.OURSELVES]
    assert [(one.what, one.where, one.severity) for one in floods] == [("audit:flood", "hall", Severity.SECURITY)]
    assert await bench.count() == 152
    bench.recorder.hear(delivery("hall", event(id="e399", severity=Severity.INFO)))  # an honest room's second try
    await bench.until(lambda: len(bench.link.receipts("hall")) == 151)
    running.cancel()
    await asyncio.wait({running})


async def test_what_was_acknowledged_survives_a_lost_connection(store: Store, clock: Clock) -> None:
    bench = Bench(store, clock)
    running = asyncio.create_task(bench.recorder.run(bench.link))
    await asyncio.sleep(0)
    for n in range(300):
        bench.recorder.hear(delivery("hall", event(id=f"e{n}", severity=Severity.INFO)))
    bench.recorder.forget()
    await bench.until(lambda: len(bench.link.receipts("hall")) == 200)
    assert {x.id for x in bench.link.receipts("hall")} == {f"e{n}" for n in range(100, 300)}
    running.cancel()
    await asyncio.wait({running})


async def test_an_event_of_our_own_is_recorded_like_any_other(bench: Bench) -> None:
    bench.recorder.note(arrivals.incident("missing", "hall", "5 to 7", bench.recorder._now()))
    bench.recorder.hear(delivery("hall", event(id="e1")))
    await bench.until(lambda: bool(bench.link.receipts("hall")))
    assert await bench.count() == 2
    assert bench.link.receipts("alerts") == []


async def test_oddities_are_told_once_and_only_about_what_is_new(bench: Bench, clock: Clock) -> None:
    odd = event(id="odd", where="garage/door", at=clock() + 10 * 86400, severity=Severity.INFO)
    bench.recorder.hear(delivery("hall", odd))
    bench.recorder.hear(delivery("hall", event(id="odd-2", where="garage/door", severity=Severity.INFO)))
    await bench.until(lambda: len(bench.link.receipts("hall")) == 2)
    assert await bench.count() == 4
    clock.time += 3 * arrivals.COALESCED_SECONDS
    bench.recorder.hear(delivery("hall", odd))
    await bench.until(lambda: len(bench.link.receipts("hall")) == 3)
    assert await bench.count() == 4


async def test_an_event_that_is_told_a_thousand_times_is_one_row(bench: Bench) -> None:
    again = delivery("hall", event(id="e1", severity=Severity.INFO)).payload
    for _ in range(1000):
        bench.recorder.hear(delivery("hall", again))
    bench.recorder.hear(delivery("hall", event(id="last", severity=Severity.INFO)))
    await bench.until(lambda: "last" in {x.id for x in bench.link.receipts("hall")})
    assert len(bench.link.acknowledged) == 1001
    assert await bench.count() == 2
