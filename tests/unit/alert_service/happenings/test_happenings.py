"""Happenings are kept once each beside the chain, at times that may be, for as long as a home wants; acts go first."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from alert_service.chain import chain
from alert_service.chain.arrivals import Arrival
from alert_service.happenings import keeping, passing
from alert_service.happenings.passing import MONTH, Kept, is_passing
from alert_service.happenings.retention import ASKED_FOR_SECONDS, Retention, known_until
from alert_service.intake import seq_rows
from alert_service.intake.recorder import Recorder
from alert_service.record import records
from alert_service.tables import events, happenings, passed
from shared.keeping.database import Store
from shared.running.believed import Believed
from shared.words.messages import AuditEvent, utc
from shared.words.names import Outcome, Severity
from tests.house import DEADLINE
from tests.unit.alert_service.parts import HOUSE, START, Clock, FakeLink, delivery, event

DAY = 86400.0


def happening(
    id_: str,
    *,
    seq: int = 1,
    at: float = START,
    what: str = "device:opened",
    where: str = "hall/door",
    issuer: str = "hall",
    severity: Severity = Severity.INFO,
    outcome: Outcome = Outcome.EXECUTED,
    detail: dict[str, str] | None = None,
) -> AuditEvent:
    return event(
        id=id_,
        seq=seq,
        at=at,
        what=what,
        where=where,
        issuer=issuer,
        user=None,
        address=None,
        command_id=None,
        severity=severity,
        outcome=outcome,
        detail=detail or {},
    )


async def keep(store: Store, *told: AuditEvent, now: float = START, kept: Kept = MONTH) -> None:
    async with store.write() as connection:
        await keeping.keep(connection, [Arrival("hall", one) for one in told], now, kept)


async def ids(store: Store) -> list[str]:
    async with store.read() as connection:
        return list((await connection.execute(select(happenings.c.id).order_by(happenings.c.number))).scalars())


@pytest.mark.parametrize(
    ("source", "told", "is_one"),
    [
        ("hall", happening("a"), True),
        ("hall", happening("a", what="device:pressed", detail={"event": "double"}), True),
        ("hall", happening("a", where="garage/door"), False),
        ("hall", happening("a", where="hall"), False),
        ("hall", happening("a", severity=Severity.CRITICAL), False),
        ("hall", happening("a", outcome=Outcome.REJECTED), False),
        ("hall", happening("a", what="device:open"), False),
        ("hall", happening("a", what="room:away", where="hall"), False),
        ("gateway", happening("a", issuer="gateway"), False),
        ("alerts", happening("a", what="room:away", where="hall", issuer="alerts"), True),
        ("alerts", happening("a", issuer="alerts"), False),
    ],
)
def test_a_happening_is_a_rooms_word_on_its_own_inputs_or_ours_on_a_room(
    source: str, told: AuditEvent, *, is_one: bool
) -> None:
    assert is_passing(Arrival(source, told)) is is_one


@pytest.mark.parametrize(
    ("at", "until", "kept_at", "kept_until"),
    [
        (START - 60, "", START - 60, START - 60),
        (START + 60, "", START, START),  # its clock is ahead
        (0.0, "", START, START),  # a clock that was never set
        (START - 31 * DAY, "", START - 31 * DAY, START - 31 * DAY),
        (START - 60, utc(START - 30).isoformat(), START - 60, START - 30),
        (START - 60, utc(START + 30).isoformat(), START - 60, START),
        (START - 60, utc(START - 90).isoformat(), START - 60, START - 60),
        (START - 60, "2026-11-23T20:04:00", START - 60, START - 60),
        (START - 60, "yesterday", START - 60, START - 60),
    ],
)
def test_it_is_kept_at_a_time_that_may_be(at: float, until: str, kept_at: float, kept_until: float) -> None:
    told = happening("a", at=at, detail={"until": until} if until else {})
    row = passing.row(Arrival("hall", told), utc(START), utc(START) - timedelta(days=31))
    assert (row["at"], row["until"]) == (chain.microseconds(utc(kept_at)), chain.microseconds(utc(kept_until)))


@pytest.mark.parametrize(
    ("told", "times"),
    [("", 1), ("12", 12), ("0", 1), ("-3", 1), ("1e9", 1), ("٣", 1), ("9" * 11, 10**9), ("9" * 99, 1)],
)
def test_how_many_they_were_is_a_number_that_fits(told: str, times: int) -> None:
    row = passing.row(Arrival("hall", happening("a", detail={"times": told})), utc(START), utc(0.0))
    assert row["times"] == times


async def test_it_is_kept_once_and_receipted_each_time(store: Store) -> None:
    one = Arrival("hall", happening("a"))
    for _ in range(2):
        async with store.write() as connection:
            receipts = await keeping.keep(connection, [one, one], START, MONTH)
        assert {line.id: (line.row, line.hash) for line in receipts.values()} == {"a": (0, "")}
    assert await ids(store) == ["a"]


async def test_numbers_grow_and_never_come_again(store: Store) -> None:
    await keep(store, happening("a"), happening("b", seq=2))
    async with store.write() as connection:
        assert await keeping.newest(connection) == 2
        await connection.execute(happenings.delete())
    await keep(store, happening("c", seq=3))
    async with store.read() as connection:
        assert await keeping.newest(connection) == 3


@pytest.mark.parametrize("kept", [Kept(0), Kept(31, ("hall/*",)), Kept(31, ("garage/*", "hall/door"))])
async def test_of_what_is_off_nothing_is_kept_but_that_it_came(store: Store, kept: Kept) -> None:
    await keep(store, happening("a", seq=7), happening("b", seq=8), kept=kept)
    assert await ids(store) == []
    async with store.read() as connection:
        assert ("hall", 0, 7) in await seq_rows.recorded(connection)
        assert await seq_rows.between(connection, "hall", (1, 9), 10) == [7, 8]


async def test_what_is_too_old_goes_in_small_portions_and_is_not_asked_for(store: Store, clock: Clock) -> None:
    many = [happening(f"o{n}", seq=n, at=START + n / 1000) for n in range(1, 701)]
    await keep(store, *many)
    clock.time += 3 * DAY
    await keep(store, happening("young", seq=701, at=clock.time), now=clock.time)
    retention = Retention(store, Kept(2), now=clock)
    assert await retention.round(), "there are more than one portion"
    assert not await retention.round()
    assert await ids(store) == ["young"]
    async with store.read() as connection:
        assert await seq_rows.recorded(connection) == [("hall", 701, 701), ("hall", 0, 1), ("hall", 1, 701)]
    clock.time += ASKED_FOR_SECONDS
    while await retention.round():
        pass
    async with store.read() as connection:
        assert list((await connection.execute(select(passed.c.seq))).scalars()) == [701], "the others nobody has"


async def test_a_clock_that_was_set_a_month_ahead_removes_nothing_for_a_day(store: Store, clock: Clock) -> None:
    await keep(store, happening("a", seq=1))
    steady = 0.0
    believed = Believed(await known_until(store), now=clock, steady=lambda: steady)
    retention = Retention(store, Kept(2), now=believed.looked_at)
    clock.time += 40 * DAY
    await retention.round()
    assert await ids(store) == ["a"]
    clock.time += DAY
    steady += DAY
    await retention.round()
    assert await ids(store) == []


async def test_acts_and_happenings_share_their_sources_numbers(store: Store) -> None:
    acts = [Arrival("hall", event(seq=n, where="hall/lamp", severity=Severity.INFO)) for n in (1, 3, 6)]
    async with store.write() as connection:
        await records.record(connection, acts, START, HOUSE)
    await keep(store, happening("a", seq=2), happening("b", seq=4))
    async with store.read() as connection:
        spans = [span for span in await seq_rows.recorded(connection) if span[1:] not in {(0, 1), (6, 6)}]
        assert spans == [("hall", 1, 4)]
        assert await seq_rows.between(connection, "hall", (1, 9), 10) == [1, 2, 3, 4, 6]


class Bench:
    """A running recorder."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.link = FakeLink()
        self.recorder = Recorder(store, recorded=lambda: None, follow=HOUSE, now=clock)

    async def receipted(self, source: str, *ids_: str) -> None:
        async with asyncio.timeout(DEADLINE):
            while not {line.id for line in self.link.receipts(source)} >= set(ids_):
                self.link.heard.clear()
                await self.link.heard.wait()


async def test_an_act_does_not_wait_behind_what_happened(store: Store, clock: Clock) -> None:
    """Ten thousand at once, all of yesterday's, and then a person's act: it is in the first batch."""
    bench = Bench(store, clock)
    for n in range(10_000):
        bench.recorder.hear(delivery("hall", happening(f"h{n}", seq=n + 1, at=START - DAY)))
    act = event(id="act", seq=10_001, where="hall/front-door")
    bench.recorder.hear(delivery("hall", act))
    running = asyncio.create_task(bench.recorder.run(bench.link))
    await bench.receipted("hall", "act")
    early = [line.id for line in bench.link.receipts("hall")]
    assert early.index("act") < 200
    await bench.receipted("hall", "h0", "h1999")
    running.cancel()
    await asyncio.wait({running})
    assert not [line for line in bench.link.receipts("hall") if line.id == "h9999"], "its producer tells it again"
    async with store.read() as connection:
        recorded = list((await connection.execute(select(events.c.what))).scalars())
    assert recorded == ["device:unlock"], "and no flood is told of"


async def test_a_full_disk_keeps_the_acts(store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(store, clock)

    async def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(keeping, "keep", full)
    bench.recorder.hear(delivery("hall", happening("h", seq=1)))
    bench.recorder.hear(delivery("hall", event(id="act", seq=2, where="hall/front-door")))
    running = asyncio.create_task(bench.recorder.run(bench.link))
    await bench.receipted("hall", "act")
    running.cancel()
    await asyncio.wait({running})
    assert [line.id for line in bench.link.receipts("hall")] == ["act"]
