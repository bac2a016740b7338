"""Removing old days: whole ones, oldest first, told in the chain, which still joins; a forged removal does not fit."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from alert_service.chain import chain, removal
from alert_service.chain.arrivals import Arrival
from alert_service.chain.chain import Broken
from alert_service.chain.removal import Day
from alert_service.letters import mailbox
from alert_service.letters.outbox import Manner, Outbox
from alert_service.record import records, retention, walk
from alert_service.record.retention import Retention
from alert_service.tables import days, deliveries, erased, events, letters
from shared.keeping.database import Store
from shared.words.internal_alerts import ChainBroken, ChainStatus
from shared.words.messages import utc
from tests.unit.alert_service.parts import HOUSE, START, Clock, Postman, event, masters, work
from tests.unit.alert_service.record_parts import DAY, acts, all_rows, tell, verdict

WHOLE = ChainStatus(row=1, hash="", checked_at=utc(START))


def keeping(store: Store, clock: Clock, status: ChainStatus = WHOLE, *, keep_days: int = 30) -> Retention:
    return Retention(store, keep_days, lambda: status, now=clock)


async def three_days(store: Store) -> None:
    """Five rows 40 days ago, four 39 days ago, three today."""
    await tell(store, acts(5), START - 40 * DAY)
    await tell(store, acts(4, first=10), START - 39 * DAY)
    await tell(store, acts(3, first=20), START)


async def records_of(store: Store) -> list[Day]:
    async with store.read() as connection:
        return await walk.removed(connection)


async def test_old_days_go_one_by_one_and_the_chain_still_joins(store: Store, clock: Clock) -> None:
    await three_days(store)
    before = await all_rows(store)
    one = keeping(store, clock)
    first, second = await one.round(), await one.round()
    assert first == Day("2026-10-14", 1, 5, chain.GENESIS, before[4].hash, 13)
    assert second == Day("2026-10-15", 6, 9, before[4].hash, before[8].hash, 14)
    assert await one.round() is None
    assert await records_of(store) == [first, second]
    rows = await all_rows(store)
    assert [row.row for row in rows] == [10, 11, 12, 13, 14]
    assert [(row.event.what, row.event.where, row.event.detail["day"]) for row in rows[3:]] == [
        ("audit:day-removed", "alerts", "2026-10-14"),
        ("audit:day-removed", "alerts", "2026-10-15"),
    ]
    found = await verdict(store)
    assert (found.row, found.head, found.broken) == (14, rows[-1].hash, None)


async def test_a_record_of_nothing_but_old_days_keeps_its_head(store: Store, clock: Clock) -> None:
    await tell(store, acts(5), START - 40 * DAY)
    assert (await keeping(store, clock).round()) is not None
    assert [row.row for row in await all_rows(store)] == [6]
    await tell(store, acts(1, first=50))
    assert (await verdict(store)).row == 7


async def test_the_day_at_the_edge_stays(store: Store, clock: Clock) -> None:
    await tell(store, acts(2), START - 30 * DAY)
    assert await keeping(store, clock).round() is None
    clock.time += DAY
    assert await keeping(store, clock).round() is not None


@pytest.mark.parametrize(
    "status",
    [
        ChainStatus(row=0, hash=""),
        ChainStatus(row=3, hash="", checked_at=utc(START), broken=ChainBroken(row=4, reason="was changed")),
    ],
)
async def test_nothing_is_removed_from_a_record_that_is_not_known_to_be_whole(
    store: Store, clock: Clock, status: ChainStatus
) -> None:
    await three_days(store)
    assert await keeping(store, clock, status).round() is None
    assert len(await all_rows(store)) == 12


async def test_a_day_with_a_letter_that_waits_stays_until_it_has_left(
    store: Store, clock: Clock, postman: Postman
) -> None:
    await tell(store, [("hall", event(id=f"c{n}", command_id=None)) for n in range(4)], START - 40 * DAY)
    one = keeping(store, clock)
    assert await one.round() is None
    async with store.write() as connection:
        await mailbox.set_people(connection, masters("ada@example.org"), clock.time)
    manner = Manner(zone=utc(0).tzinfo, per_minute=1000, alone=1)  # type: ignore[arg-type]  # it has one
    outbox = Outbox(store, postman, manner, now=clock)
    postman.away = True
    await work(outbox)
    assert await one.round() is None
    postman.away = False
    clock.time += 600
    await work(outbox)
    assert len(postman.letters) == 1
    assert await one.round() is None  # the digest with the others still gathers
    clock.time += 600
    await work(outbox)
    await work(outbox)
    assert len(postman.letters) == 2
    assert await one.round() is not None
    assert (await verdict(store)).broken is None


async def test_letters_go_with_the_days_that_they_tell_of(store: Store, clock: Clock, postman: Postman) -> None:
    clock.time = START - 40 * DAY
    async with store.write() as connection:
        await mailbox.set_people(connection, masters("ada@example.org"), clock.time)
    manner = Manner(zone=utc(0).tzinfo, per_minute=1000, alone=1)  # type: ignore[arg-type]  # it has one
    outbox = Outbox(store, postman, manner, now=clock)
    await tell(store, [("hall", event(id=f"c{n}", command_id=None)) for n in range(4)], clock.time)
    for _ in range(3):
        await work(outbox)
        clock.time += 600
    assert len(postman.letters) == 2, "one alone, and one digest of three"
    clock.time = START
    await tell(store, [("hall", event(id="new", command_id=None))], clock.time)
    await work(outbox)
    assert len(await sent_letters(store)) == 3
    one = keeping(store, clock)
    assert await one.round() is not None
    await work(outbox)
    async with store.read() as connection:
        left = (await connection.execute(select(letters.c.created_at))).scalars().all()
    assert left
    assert min(left) == START, "those of the removed day are gone, with the digest and what it gathered"
    assert await sent_letters(store) == [(letter, "ada@example.org") for letter, _ in await sent_letters(store)]
    assert len(await sent_letters(store)) == len(left)


async def sent_letters(store: Store) -> list[tuple[int, str]]:
    async with store.read() as connection:
        found = await connection.execute(select(deliveries.c.letter, deliveries.c.recipient).order_by(deliveries.c.id))
        return [(one.letter, one.recipient) for one in found.all()]


async def test_a_removal_that_was_interrupted_is_finished_and_never_looks_broken(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(store, acts(1200), START - 40 * DAY)
    await tell(store, acts(2, first=2000))
    one = keeping(store, clock)
    with monkeypatch.context() as patched:
        patched.setattr(retention, "_REST_SECONDS", 3600.0)  # it never comes to its second step
        task = asyncio.create_task(one.round())
        while (await all_rows(store))[0].row == 1:  # noqa: ASYNC110 - what stands in the database
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    left = len(await all_rows(store))
    assert (await verdict(store, batch=100)).broken is None
    assert await keeping(store, clock).round() is None
    assert left > len(await all_rows(store)) == 3
    assert (await verdict(store)).broken is None


async def test_a_day_that_is_removed_while_the_check_is_in_it_is_no_fault(store: Store, clock: Clock) -> None:
    await three_days(store)
    last = None
    async for last in walk.walk(store, batch=2):
        if last.row == 2:
            assert await keeping(store, clock).round() is not None
    assert last is not None
    assert (last.row, last.broken) == (13, None)


async def forge(store: Store, **changed: Any) -> None:
    """Cut the first four rows off, and cover that with a record."""
    rows = await all_rows(store)
    day = {"day": "2026-10-14", "first_row": 1, "last_row": 4, "before": chain.GENESIS, "after": rows[3].hash}
    async with store.write() as connection:
        await connection.execute(delete(events).where(events.c.row <= 4))
        await connection.execute(insert(days).values(day | {"told_in": 5} | changed))


@pytest.mark.parametrize("told_in", [0, 4, 5, 9, 10**6])
async def test_a_forged_removal_does_not_fit(store: Store, told_in: int) -> None:
    await tell(store, acts(9))
    await forge(store, told_in=told_in)
    broken = (await verdict(store)).broken
    assert broken is not None
    assert broken.row == (max(4, told_in))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("day", "2026-10-16"),
        ("first_row", 7),
        ("last_row", 8),
        ("last_row", 10),
        ("before", "0" * 64),
        ("after", "0" * 64),
        ("told_in", 13),
    ],
)
async def test_any_change_of_a_record_is_found(store: Store, clock: Clock, column: str, value: object) -> None:
    await three_days(store)
    one = keeping(store, clock)
    await one.round()
    await one.round()
    assert (await verdict(store)).broken is None
    async with store.write() as connection:
        await connection.execute(update(days).where(days.c.day == "2026-10-15").values({column: value}))
    assert (await verdict(store)).broken is not None


async def test_a_record_that_was_deleted_or_a_row_among_removed_ones_is_found(store: Store, clock: Clock) -> None:
    await three_days(store)
    rows = await all_rows(store)
    one = keeping(store, clock)
    await one.round()
    await one.round()
    for row in (2, 5, 7, 9):
        planted = chain.flat(rows[row - 1])._replace(what="x:y")
        async with store.write() as connection:
            await connection.execute(insert(events).values(planted._asdict()))
        assert (await verdict(store)).broken is not None
        async with store.write() as connection:
            await connection.execute(delete(events).where(events.c.row == row))
    assert (await verdict(store)).broken is None
    async with store.write() as connection:
        await connection.execute(delete(days))
    assert (await verdict(store)).broken == Broken(row=10, reason="row 1 is missing")


def test_records_that_do_not_join_are_named() -> None:
    first, second = Day("d1", 1, 5, chain.GENESIS, "a", 20), Day("d2", 6, 9, "a", "b", 21)
    assert removal.fault([first, second]) is None
    for bad in (second._replace(before="x"), second._replace(first_row=7), second._replace(last_row=5)):
        assert removal.fault([first, bad]) is not None
    assert removal.fault([second]) is not None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(-5, 60), st.integers(1, 4)), min_size=1, max_size=8), st.integers(14, 40))
async def test_whatever_the_clock_did_what_is_left_joins_and_nothing_young_is_removed(
    store: Store, stretches: list[tuple[int, int]], keep_days: int
) -> None:
    async with store.write() as connection:
        for table in (events, days, deliveries, letters, erased):
            await connection.execute(delete(table))
    clock, first = Clock(), 1
    for day, count in stretches:
        await tell(store, acts(count, first=first), START + day * DAY)
        first += count
    clock.time = START + 61 * DAY
    before = await all_rows(store)
    one = keeping(store, clock, keep_days=keep_days)
    while await one.round() is not None:
        assert (await verdict(store)).broken is None
    assert (await verdict(store)).broken is None
    left = {row.event.id for row in await all_rows(store)}
    young = {row.event.id for row in before if row.received_at >= utc(clock.time - keep_days * DAY)}
    assert young <= left
    oldest = min(row.row for row in await all_rows(store))
    assert oldest > len(before) or before[oldest - 1].received_at.date() >= utc(clock.time - keep_days * DAY).date()
    async with store.read() as connection:
        assert len((await connection.execute(select(days))).all()) <= len(stretches)


async def test_our_own_numbers_go_on_after_a_removal(store: Store, clock: Clock) -> None:
    await three_days(store)
    one = keeping(store, clock)
    await one.round()
    await one.round()
    async with store.write() as connection:
        await records.record(connection, [Arrival("hall", event(id="e21", what="x:y"))], clock.time, HOUSE)
    assert [row.event.seq for row in await all_rows(store) if row.source == "alerts"] == [1, 2, 3]
