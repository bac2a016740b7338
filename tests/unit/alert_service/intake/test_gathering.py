"""Ordinary events are committed and receipted together, in order, each once; what is critical waits for none."""

import asyncio
import contextlib
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from alert_service.chain import chain
from alert_service.intake import recorder
from alert_service.intake.inbox import URGENT_SHARE, Brought, Inbox
from alert_service.intake.recorder import BATCH, GATHERED, Recorder
from alert_service.record import records
from alert_service.store import open_store
from alert_service.tables import events
from shared.broker.bus import Delivery
from shared.keeping.database import Store
from shared.proof.together import TOGETHER
from shared.words.messages import AuditEvent, Receipt
from shared.words.names import Severity
from tests.house import DEADLINE
from tests.unit.alert_service.parts import HOUSE, FakeLink, delivery, event

ROOMS = ("hall", "garage", "kitchen")


def told(room: str, name: str, severity: Severity = Severity.INFO) -> Delivery:
    return delivery(room, event(id=name, where=f"{room}/lamp", severity=severity, command_id=name))


class Bench:
    """A recorder on a real database, and what became of what it heard."""

    def __init__(self, store: Store, link: FakeLink | None = None) -> None:
        self.store = store
        self.link = link or FakeLink()
        self.followed = 0
        self.recorder = Recorder(store, recorded=lambda: None, followed=self._followed, follow=HOUSE)

    def _followed(self) -> None:
        self.followed += 1

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                self.link.heard.clear()
                await self.link.heard.wait()

    async def rows(self) -> list[chain.Row]:
        async with self.store.read() as connection:
            found = await connection.execute(select(events).order_by(events.c.row))
            return [records.as_row(one) for one in found.all()]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.recorder.run(self.link))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task})

    def receipts_sent(self, room: str) -> list[Receipt]:
        """The messages that brought them."""
        sent = (what for topic, what in self.link.told if topic == f"audit/{room}/receipt")
        return [what for what in sent if isinstance(what, Receipt)]


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ordinary events would wait for ever: whatever is recorded all the same was not waited for."""
    monkeypatch.setattr(recorder, "GATHER_SECONDS", 10 * DEADLINE)


async def test_what_comes_together_is_committed_and_receipted_together(store: Store) -> None:
    bench = Bench(store)
    async with bench.running():
        for number in range(30):
            bench.recorder.hear(told(ROOMS[number % 3], f"e{number}"))
        await bench.until(lambda: all(bench.link.receipts(room) for room in ROOMS))
    assert [len(bench.receipts_sent(room)) for room in ROOMS] == [1, 1, 1]
    assert [line.id for line in bench.link.receipts("hall")] == [f"e{n}" for n in range(0, 30, 3)]
    assert len(bench.link.acknowledged) == 30
    assert bench.followed == 0, "nobody sorts letters for what none tells of"


def in_one(room: str, *parts: Delivery) -> Delivery:
    """What several messages carry, in one."""
    return delivery(room, b"[%b]" % b",".join(part.payload for part in parts))


@pytest.mark.usefixtures("endless")
async def test_several_in_one_message_are_recorded_and_receipted_each_and_the_message_is_confirmed_once(
    store: Store,
) -> None:
    bench = Bench(store)
    bad = delivery("hall", b'{"id":"bad","seq":7}')
    one = in_one("hall", told("hall", "a"), bad, told("hall", "b"), told("hall", "a"))
    async with bench.running():
        bench.recorder.hear(one)
        await bench.until(lambda: bool(bench.link.receipts("hall")))
    assert sorted(line.id for line in bench.link.receipts("hall")) == ["a", "b", "bad"]
    assert bench.link.acknowledged == [one]
    assert [row.event.id for row in await bench.rows() if row.source == "hall"] == ["a", "b"]
    assert {receipt.together for receipt in bench.receipts_sent("hall")} == {TOGETHER}


async def test_a_message_is_confirmed_only_when_all_of_it_is_recorded(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "BATCH", 2)
    bench = Bench(store)
    one = in_one("hall", *(told("hall", f"e{n}") for n in range(5)))
    recorded_at = []
    real = bench.link.acknowledge

    def acknowledge(message: Delivery) -> None:
        recorded_at.append(len(bench.link.receipts("hall")))
        real(message)

    monkeypatch.setattr(bench.link, "acknowledge", acknowledge)
    async with bench.running():
        bench.recorder.hear(one)
        await bench.until(lambda: len(bench.link.receipts("hall")) == 5)
    assert (bench.link.acknowledged, recorded_at) == ([one], [4]), "with the last commit, and not before"


@pytest.mark.usefixtures("endless")
async def test_what_is_critical_is_waited_for_by_nobody_and_takes_the_others_along(store: Store) -> None:
    bench = Bench(store)
    async with bench.running():
        bench.recorder.hear(told("hall", "lamp"))
        bench.recorder.hear(told("garage", "door", Severity.CRITICAL))
        await bench.until(lambda: bool(bench.link.receipts("hall") and bench.link.receipts("garage")))
        assert bench.followed == 1
        bench.recorder.hear(told("garage", "forced", Severity.SECURITY))
        await bench.until(lambda: len(bench.link.receipts("garage")) == 2)


@pytest.mark.usefixtures("endless")
async def test_enough_of_them_wait_no_longer(store: Store) -> None:
    bench = Bench(store)
    async with bench.running():
        for number in range(3 * GATHERED):
            bench.recorder.hear(told("hall", f"e{number}"))
        await bench.until(lambda: len(bench.link.receipts("hall")) == 3 * GATHERED)


@pytest.mark.usefixtures("endless")
async def test_a_link_that_is_lost_meanwhile_leaves_nothing_to_record(store: Store) -> None:
    bench = Bench(store)
    async with bench.running():
        bench.recorder.hear(told("hall", "comes again"))
        bench.recorder.forget()
        bench.recorder.hear(told("hall", "door", Severity.CRITICAL))
        await bench.until(lambda: bool(bench.link.receipts("hall")))
    assert [row.event.id for row in await bench.rows()] == ["door"]


async def test_a_critical_event_among_thousands_is_in_the_next_commit(store: Store) -> None:
    bench = Bench(store)
    async with bench.running():
        for number in range(2_000):
            bench.recorder.hear(told(ROOMS[number % 3], f"e{number}"))
        bench.recorder.hear(told("hall", "door", Severity.CRITICAL))
        await bench.until(lambda: bool(bench.followed))
        assert "door" in {row.event.id for row in (await bench.rows())[:BATCH]}
        await bench.until(lambda: sum(len(bench.link.receipts(room)) for room in ROOMS) == 2_001)
    rows = await bench.rows()
    assert chain.verify(rows).broken is None
    assert len({row.event.id for row in rows}) == len(rows) == 2_001


STEPS = st.lists(st.tuples(st.sampled_from(ROOMS), st.booleans()), max_size=60)


@given(STEPS, st.integers(2, 12))
def test_what_is_urgent_goes_first_and_never_takes_all(steps: list[tuple[str, bool]], most: int) -> None:
    inbox: Inbox[int] = Inbox()
    for number, (source, urgent) in enumerate(steps):
        inbox.put(source, [Brought(number, 1, urgent)])
    taken: list[int] = []
    while batch := inbox.take(most):
        first = [one.urgent for one in batch]
        assert first == sorted(first, reverse=True)
        left = [number for number in range(len(steps)) if number not in taken]
        waiting = sum(steps[number][1] for number in left)
        if waiting < len(left):
            assert sum(first) == min(waiting, max(1, int(most * URGENT_SHARE)))
        taken += [one.item for one in batch]
    assert sorted(taken) == list(range(len(steps)))
    for lane in (True, False):
        for room in ROOMS:
            mine = [number for number in taken if steps[number] == (room, lane)]
            assert mine == sorted(mine)


class CrashError(Exception):
    """The machine went down."""


class CrashingLink(FakeLink):
    """Goes down with the machine when so many messages were acknowledged."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def acknowledge(self, delivery: Delivery) -> None:
        if self._left == 0:
            raise CrashError
        self._left -= 1
        super().acknowledge(delivery)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables, to be copied: making one takes a while."""
    path = tmp_path_factory.mktemp("blank") / "alerts.sqlite3"

    async def make() -> None:
        await (await open_store(f"sqlite+aiosqlite:///{path}")).close()

    asyncio.run(make())
    return path


SEVERITIES = st.sampled_from([Severity.INFO, Severity.INFO, Severity.INFO, Severity.CRITICAL])
SENT = st.lists(st.tuples(st.sampled_from(ROOMS), SEVERITIES), min_size=1, max_size=40)


async def crash_and_come_back(
    database: Path, sent: list[Delivery], after: int, check: Callable[[Bench, Bench], Awaitable[None]]
) -> None:
    """Hear everything, go down after so many acknowledgements, come back, and hear what was not acknowledged again."""
    store = await open_store(f"sqlite+aiosqlite:///{database}")
    try:
        first = Bench(store, CrashingLink(after))
        for one in sent:
            first.recorder.hear(one)
        async with first.running() as task, asyncio.timeout(DEADLINE):
            done = asyncio.create_task(first.until(lambda: len(first.link.acknowledged) == len(sent)))
            await asyncio.wait({task, done}, return_when=asyncio.FIRST_COMPLETED)
            done.cancel()
        second = Bench(store)
        again = [one for one in sent if one not in first.link.acknowledged]
        async with second.running():
            for one in again:
                second.recorder.hear(one)
            await second.until(lambda: len(second.link.acknowledged) == len(again))
        await check(first, second)
    finally:
        await store.close()


def grouped(sent: list[tuple[str, Severity]], sizes: list[int]) -> list[Delivery]:
    """What is sent, in messages of so many each as far as the room stays the same, and alone after that."""
    wanted = iter(sizes)
    made = []
    for room, run in itertools.groupby(enumerate(sent), key=lambda one: one[1][0]):
        parts = [told(room, f"e{number}", severity) for number, (_, severity) in run]
        while parts:
            size = next(wanted, 1)
            made.append(parts[0] if size == 1 else in_one(room, *parts[:size]))
            parts = parts[size:]
    return made


@settings(max_examples=25, deadline=None)
@given(sent=SENT, sizes=st.lists(st.integers(1, 9), max_size=20), share=st.floats(0, 1))
def test_a_crash_between_commit_and_acknowledgement_loses_and_doubles_nothing(
    blank: Path, sent: list[tuple[str, Severity]], sizes: list[int], share: float
) -> None:
    messages_sent = grouped(sent, sizes)

    async def check(first: Bench, second: Bench) -> None:
        rows = await second.rows()
        assert chain.verify(rows).broken is None
        assert sorted(row.event.id for row in rows) == sorted(f"e{number}" for number in range(len(sent)))
        hashes = {row.event.id: row.hash for row in rows}
        for bench in (first, second):
            for room in ROOMS:
                assert all(hashes[line.id] == line.hash for line in bench.link.receipts(room))
        for room in ROOMS:
            for urgent in (True, False):
                mine = [int(r.event.id[1:]) for r in rows if r.source == room and is_urgent(r.event) is urgent]
                assert mine == sorted(mine), "each source's events stand in the order in which they came"

    with tempfile.TemporaryDirectory() as folder:
        database = Path(shutil.copy(blank, folder))
        asyncio.run(crash_and_come_back(database, messages_sent, int(share * len(messages_sent)), check))


def is_urgent(told_event: AuditEvent) -> bool:
    return told_event.severity is not Severity.INFO
