"""Whatever comes together in a batch, in the chain it is as if each event had come alone."""

import itertools
from collections.abc import Sequence
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from alert_service.chain import arrivals, chain
from alert_service.chain.arrivals import Arrival
from alert_service.chain.forms import Flat
from alert_service.record import records, walk
from alert_service.tables import erased, events, letters
from shared.keeping.database import Store
from shared.words.messages import ReceiptLine, UserRef
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.parts import HOUSE, START, event

SOURCES = ("gateway", "hall", arrivals.OURSELVES)
PEOPLE = (None, UserRef(id="u1", name="Ada"), UserRef(id="u2", name="Bob"))

ordinary = st.builds(
    lambda source, number, user: Arrival(
        source,
        # What it tells follows from its source and id: the same event, however often it is told.
        event(
            id=f"e{number}",
            seq=number,
            at=START - number,
            where=("hall/lamp", "user/u2", "address/192.0.2.9")[number % 3],
            user=PEOPLE[number % 3],
            severity=(Severity.INFO, Severity.CRITICAL)[number % 2],
            outcome=(Outcome.EXECUTED, Outcome.ASKED)[number % 2],
            detail=({}, {"browser": "ü", "reason": "x"})[number % 2],
        ),
    ),
    st.sampled_from(SOURCES),
    st.integers(1, 12),
    st.sampled_from(PEOPLE),
)
contradicted = st.builds(
    lambda one, what: Arrival(one.source, event(id=one.event.id, what=what), remarks=one.remarks),
    ordinary,
    st.sampled_from(["device:unlock", "device:lock"]),
)
remarkable = st.builds(
    lambda one: Arrival(
        one.source, one.event, remarks=(arrivals.incident("from-future", one.source, one.event.id, START),)
    ),
    ordinary,
)


async def begin_anew(store: Store, gone: Sequence[str] = ()) -> None:
    async with store.write() as connection:
        for table in (letters, events, erased):
            await connection.execute(delete(table))
        for user_id in gone:
            await connection.execute(insert(erased).values(user_id=user_id, at=0))


async def recorded(store: Store, told: Sequence[Arrival], cuts: Sequence[int]) -> dict[records.Key, ReceiptLine]:
    """Record in batches that end at these places, with salts that nobody could know but that come again."""
    ends = sorted({*(cut for cut in cuts if cut < len(told)), len(told)})
    receipts: dict[records.Key, ReceiptLine] = {}
    salts = itertools.count()
    with mock.patch("secrets.token_bytes", lambda size: next(salts).to_bytes(size)):
        for first, last in itertools.pairwise([0, *ends]):
            async with store.write() as connection:
                made = await records.record(connection, told[first:last], START, HOUSE)
                receipts |= made.receipts
    return receipts


async def table(store: Store) -> list[Flat]:
    async with store.read() as connection:
        return [Flat._make(one) for one in (await connection.execute(select(events).order_by(events.c.row))).all()]


async def story(store: Store) -> list[tuple[object, ...]]:
    async with store.read() as connection:
        found = await connection.execute(select(letters).order_by(letters.c.id))
        return [tuple(one) for one in found.all()]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(ordinary, min_size=1, max_size=20), st.lists(st.integers(1, 20), max_size=5))
async def test_rows_hashes_receipts_and_letters_are_those_of_one_by_one(
    store: Store, told: list[Arrival], cuts: list[int]
) -> None:
    await begin_anew(store)
    receipts = await recorded(store, told, range(1, len(told)))
    rows, made = await table(store), await story(store)
    await begin_anew(store)
    assert await recorded(store, told, cuts) == receipts
    assert await table(store) == rows
    assert [one[1:] for one in await story(store)] == [one[1:] for one in made]
    assert {one.id: (one.row, one.hash) for one in rows if one.source == "hall"} == {
        line.id: (line.row, line.hash) for (source, _), line in receipts.items() if source == "hall"
    }


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.one_of(ordinary, contradicted, remarkable), min_size=1, max_size=20),
    st.lists(st.integers(1, 20), max_size=5),
    st.sets(st.sampled_from(["u1", "u2"])),
)
async def test_whatever_comes_each_event_stands_once_and_the_chain_is_sound(
    store: Store, told: list[Arrival], cuts: list[int], gone: set[str]
) -> None:
    await begin_anew(store, sorted(gone))
    receipts = await recorded(store, told, cuts)
    rows = {(one.source, one.id): one for one in await table(store)}
    assert len(rows) == len(await table(store))
    assert {(one.source, one.event.id) for one in told} <= set(rows)
    firsts = {(one.source, one.event.id): one for one in reversed(told)}
    assert {(one.source, one.event.id) for first in firsts.values() for one in first.remarks} <= set(rows)
    for key, line in receipts.items():
        assert (line.row, line.hash) == (rows[key].row, rows[key].hash)
    assert not gone & {one.user_id for one in rows.values()}
    verdicts = [verdict async for verdict in walk.walk(store)]
    assert (verdicts[-1].row, verdicts[-1].broken) == (len(rows), None)
    contradicting = {one.source for one in told if one.event != firsts[one.source, one.event.id].event}
    reused = {one.place for one in rows.values() if one.what == "audit:id-reused"}
    assert reused <= contradicting - {arrivals.OURSELVES}
    if not gone:  # whose person is gone may be told with another one, or without
        assert reused == contradicting - {arrivals.OURSELVES}


@pytest.mark.parametrize("number", [1, 50, 51, 500, 501, 520])
async def test_a_row_that_was_changed_is_named_wherever_it_stands(store: Store, number: int) -> None:
    told = [Arrival("hall", event(id=f"e{n}", severity=Severity.INFO)) for n in range(1, 521)]
    await recorded(store, told, [200, 400])
    async with store.write() as connection:
        await connection.execute(events.update().where(events.c.row == number).values(what="device:lock"))
    verdicts = [verdict async for verdict in walk.walk(store)]
    assert verdicts[-1].broken == chain.Broken(row=number, reason="was changed")
    assert verdicts[-1].row == number - 1
