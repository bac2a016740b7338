"""Whoever reads the record on its own finds its way where little or nothing stands in it: no restart may end there."""

import asyncio
import itertools
import shutil
import zoneinfo
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text

from alert_service.chain import chain
from alert_service.chain.arrivals import OURSELVES, Arrival
from alert_service.history import history
from alert_service.history.narrowing import Scope
from alert_service.intake import seq_rows
from alert_service.letters import carrier, mailbox, opening, release
from alert_service.letters.daily import DailyLetter
from alert_service.letters.outbox import Manner, Outbox
from alert_service.record import records, walk
from alert_service.record.check import Check
from alert_service.record.erasing import count, erase
from alert_service.record.evidence import Gathered, weigh
from alert_service.record.retention import Retention
from alert_service.store import open_store
from alert_service.tables import events
from alert_service.watches import room_watch
from shared.keeping.database import Store
from shared.words.names import Severity
from tests.unit.alert_service.parts import HOUSE, START, Clock, Postman, event, masters, work
from tests.unit.alert_service.record_parts import DAY

UTC = zoneinfo.ZoneInfo("UTC")
SOURCES = (OURSELVES, "hall", "gateway")

Told = tuple[str, int, int, Severity]
"""Source, how many days ago, number, severity."""

RECORDS = st.lists(
    st.tuples(st.sampled_from(SOURCES), st.integers(0, 20), st.integers(0, 5), st.sampled_from(Severity)), max_size=8
)


async def fill(store: Store, told: list[Told]) -> None:
    names = itertools.count()
    async with store.write() as connection:
        for source, ago, seq, severity in sorted(told, key=lambda one: -one[1]):
            what = room_watch.OFFLINE if source == OURSELVES else "device:unlock"
            made = event(id=f"n{next(names)}", seq=seq, what=what, where="hall", severity=severity, command_id=None)
            await records.record(connection, [Arrival(source, made)], START - ago * DAY, HOUSE)


async def recall(store: Store) -> object:
    async with store.read() as connection:
        return await seq_rows.recorded(connection), await seq_rows.between(connection, "hall", (1, 9), 5)


async def told_away(store: Store) -> object:
    return await room_watch.told_away(store)


async def check(store: Store) -> object:
    made = Check(store, now=lambda: START, recorded=lambda: None, follow=HOUSE)
    await made.whole()
    await made.go_on()
    assert made.status.broken is None
    return made.status


async def daily_letters(store: Store) -> object:
    clock, postman = Clock(), Postman()
    made = Check(store, now=clock, recorded=lambda: None, follow=HOUSE)
    writer = DailyLetter(store, "07:00", UTC, lambda: made.status, now=clock)
    outbox = Outbox(store, postman, Manner(zone=UTC, per_minute=100_000, alone=3), now=clock)
    async with store.write() as connection:
        await mailbox.set_people(connection, masters("ada@example.org"), START)
    written = await writer.round()
    for _ in range(3):
        await work(outbox)
        clock.time += carrier.PATROL_SECONDS
    assert not any("cannot be written" in letter.text for letter in postman.letters)
    assert any(letter.subject.startswith("Daily record") for letter in postman.letters) is written
    return len(postman.letters)


async def retention(store: Store) -> object:
    made = Check(store, now=lambda: START, recorded=lambda: None, follow=HOUSE)
    await made.whole()
    keeping = Retention(store, 14, lambda: made.status, now=lambda: START)
    for _ in range(25):
        if await keeping.round() is None:
            break
    await made.whole()
    assert made.status.broken is None
    return made.status.row


async def pages(store: Store) -> object:
    async with store.read() as connection:
        page = await history.page(connection, Scope(), limit=3, after=None)
        return page, await walk.extent(connection), await walk.removed(connection)


async def rest(store: Store) -> object:
    async with store.read() as connection:
        await release.next_time(connection)
        await mailbox.next_delivery(connection, "mail")
        await mailbox.stale(connection, "mail", START)
        await mailbox.count(connection)
        await records.rows(connection, [])
        await release.stories_of(connection, [])
    async with store.write() as connection:
        await records.record(connection, [], START, HOUSE)
        await opening.expire(connection, START)
        await release.regather(connection, START, 3)
        await mailbox.set_people(connection, masters("ada@example.org"), START)
        await mailbox.set_people(connection, (), START)
        assert await mailbox.known_people(connection) == ()
        await mailbox.summed(connection, [], START)
    await weigh(store, Gathered(0, [], []))
    await erase(store, user_id="u1", emails=["ada@example.org"], now=START)
    return await count(store, "u1")


READERS = (recall, told_away, check, daily_letters, retention, pages, rest)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database without a row, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "alerts.sqlite3"

    async def make() -> None:
        store = await open_store(f"sqlite+aiosqlite:///{path}")
        async with store.read() as connection:
            await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        await store.close()

    asyncio.run(make())
    return path


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RECORDS)
@example([])
@example([("hall", 15, 3, Severity.INFO), (OURSELVES, 1, 0, Severity.INFO)])
@example([(OURSELVES, 0, 0, Severity.CRITICAL)])
def test_every_reader_copes_with_little_or_nothing(
    reader: Callable[[Store], Awaitable[object]], empty: Path, tmp_path: Path, told: list[Told]
) -> None:
    path = tmp_path / "alerts.sqlite3"
    for leftover in tmp_path.glob("alerts.sqlite3*"):
        leftover.unlink()
    shutil.copy(empty, path)

    async def scenario() -> None:
        store = await open_store(f"sqlite+aiosqlite:///{path}")
        try:
            await fill(store, told)
            await reader(store)
        finally:
            await store.close()

    asyncio.run(scenario())


async def test_a_record_that_was_emptied_by_hand_is_told_of_by_the_daily_letter(store: Store) -> None:
    clock, postman = Clock(), Postman()
    made = Check(store, now=clock, recorded=lambda: None, follow=HOUSE)
    writer = DailyLetter(store, "07:00", UTC, lambda: made.status, now=clock)
    outbox = Outbox(store, postman, Manner(zone=UTC, per_minute=100_000, alone=3), now=clock)
    async with store.write() as connection:
        await mailbox.set_people(connection, masters("ada@example.org"), START)
    await fill(store, [("hall", 2, 1, Severity.INFO)])
    assert await writer.round()
    async with store.write() as connection:
        await connection.execute(delete(events))
    clock.time += DAY
    assert await writer.round()
    await work(outbox)
    assert [f"row 1, hash {chain.GENESIS}" in one.text for one in postman.letters] == [False, False]
    assert [f"row 0\n  {chain.GENESIS}" in one.text for one in postman.letters] == [False, True]


@pytest.mark.parametrize("apart", [1, 9], ids=["alone", "in a digest"])
async def test_letters_whose_rows_were_taken_out_by_hand_leave_and_say_so(store: Store, apart: int) -> None:
    clock, postman = Clock(), Postman()
    outbox = Outbox(store, postman, Manner(zone=UTC, per_minute=100_000, alone=3), now=clock)
    async with store.write() as connection:
        await mailbox.set_people(connection, masters("ada@example.org"), START)
    await fill(store, [("hall", 0, 1, Severity.SECURITY)] * apart)
    async with store.write() as connection:
        await connection.execute(delete(events).where(events.c.row == 1))
    for _ in range(3):
        await work(outbox)
        clock.time += 700
    assert not outbox.mail.failure
    async with store.read() as connection:
        left = await mailbox.count(connection)
    assert (left.waiting, left.refused) == (0, 0)
    (said,) = [one for one in postman.letters if "taken out" in one.text]
    assert "row 1" in said.text or "row: 1" in said.text
    assert "cannot be written" not in said.text
