"""Checking the table: whatever a hand changes in it is found, and named by its row."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text, update

from alert_service.chain import chain
from alert_service.chain.chain import Broken
from alert_service.record import walk
from alert_service.store import open_store
from alert_service.tables import events
from shared.keeping.database import Store
from shared.words.problem import HomeError
from tests.unit.alert_service.record_parts import acts, all_rows, tell, verdict

CHANGES: dict[str, object] = {
    "row": 50,
    "source": "garage",
    "id": "other",
    "seq": 99,
    "at": 1,
    "received_at": 1,
    "what": "device:lock",
    "place": "hall/lamp",
    "room": "garage",
    "issuer": "phone",
    "user_id": "u2",
    "user_name": "Eve",
    "address": "192.0.2.99",
    "command_id": "c99",
    "outcome": "rejected",
    "severity": "critical",
    "detail": '{"user":"Ada","reason":"r0"}',
    "salt": b"x" * 16,
    "people": "0" * 64,
    "previous": "0" * 64,
    "hash": "0" * 64,
    "form": 1,
    "clock": 4_000_000_000_000_000,
}
RUBBISH: list[tuple[str, object]] = [
    ("clock", 0),
    ("clock", "soon"),
    ("detail", "no JSON"),
    ("detail", "[]"),
    ("detail", '{"user": "Ada", "reason": "r4"}'),
    ("detail", '{"user":"Eve","user":"Ada","reason":"r4"}'),
    ("user_id", None),
    ("user_name", None),
    ("address", None),
    ("command_id", None),
    ("salt", None),
    ("salt", b""),
    ("salt", b"x" * 48),
    ("outcome", "splendid"),
    ("hash", ""),
    ("previous", "no hex"),
    ("form", 3),
    ("at", 2**62),
]
SQLITE_ALONE = [
    ("at", "'text'"),
    ("place", "x'ff'"),
    ("detail", "x'ff'"),
    ("salt", "'text'"),
    ("what", "cast(x'ff' as text)"),
    ("hash", "x'00'"),
    # As base64, which is how JSON writes bytes, this is what stood there before.
    ("severity", "x'8a77e8'"),
]


def test_every_column_is_tried() -> None:
    assert set(CHANGES) == set(events.c.keys())


@pytest.mark.parametrize("column", CHANGES)
async def test_a_change_of_any_column_is_found_and_its_row_named(store: Store, column: str) -> None:
    await tell(store, acts(7))
    async with store.write() as connection:
        await connection.execute(update(events).where(events.c.row == 4).values({column: CHANGES[column]}))
    broken = (await verdict(store)).broken
    assert broken is not None
    # A row that got another number is missing where it was: the next one says so.
    assert broken.row == (5 if column == "row" else 4)


@pytest.mark.parametrize(("column", "value"), RUBBISH)
async def test_rubbish_in_any_column_is_found_and_stops_nothing(store: Store, column: str, value: object) -> None:
    await tell(store, acts(7))
    async with store.write() as connection:
        await connection.execute(update(events).where(events.c.row == 4).values({column: value}))
    broken = (await verdict(store)).broken
    assert broken is not None
    assert broken.row == 4


@pytest.mark.parametrize(("column", "value"), SQLITE_ALONE)
async def test_what_sqlite_lets_into_a_column_is_found(store: Store, column: str, value: str) -> None:
    await tell(store, acts(7))
    async with store.write() as connection:
        await connection.execute(text(f"UPDATE events SET {column} = {value} WHERE row = 4"))
    broken = (await verdict(store)).broken
    assert broken is not None
    assert broken.row == 4


async def test_a_deleted_row_is_found_wherever_it_stood(store: Store) -> None:
    await tell(store, acts(7))
    for row in (4, 1):
        async with store.write() as connection:
            await connection.execute(delete(events).where(events.c.row == row))
        assert (await verdict(store)).broken == Broken(row=row + 1, reason=f"row {row} is missing")


@pytest.mark.parametrize("row", [-3, 0, 8, 12])
async def test_an_inserted_row_is_found_even_when_it_is_well_made(store: Store, row: int) -> None:
    await tell(store, acts(7))
    rows = await all_rows(store)
    planted = chain.append(
        "hall", acts(1, first=99)[0][1], received_at=rows[0].received_at, salt=b"x" * 16, row=row, previous="1" * 64
    )
    async with store.write() as connection:
        await connection.execute(events.insert().values(chain.flat(planted)._asdict()))
    broken = (await verdict(store)).broken
    assert broken is not None
    assert broken.row == row


async def test_two_swapped_rows_are_found_at_the_first(store: Store) -> None:
    await tell(store, acts(7))
    async with store.write() as connection:
        for old, new in ((3, 100), (5, 3), (100, 5)):
            await connection.execute(update(events).where(events.c.row == old).values(row=new))
    assert (await verdict(store)).broken == Broken(row=3, reason="does not follow the row before it")


async def test_the_check_may_begin_in_the_middle(store: Store) -> None:
    await tell(store, acts(7))
    async with store.write() as connection:
        await connection.execute(update(events).where(events.c.row == 2).values(what="x:y"))
    assert (await verdict(store)).broken == Broken(row=2, reason="was changed")
    assert (await verdict(store, from_row=3)).broken is None
    with pytest.raises(HomeError, match="There is no row 8"):
        await verdict(store, from_row=8)


async def test_an_empty_table_is_whole(store: Store) -> None:
    assert await verdict(store) == chain.Verdict(row=0, head=chain.GENESIS, clock=0)


async def test_rows_that_come_while_it_checks_are_checked_too(store: Store) -> None:
    await tell(store, acts(4))
    last = None
    async for last in walk.walk(store, batch=2):
        if last.row == 2:
            await tell(store, acts(3, first=10))
    assert last is not None
    assert (last.row, last.broken) == (7, None)


async def test_going_on_finds_that_the_row_before_was_cut_off_or_replaced(store: Store) -> None:
    await tell(store, acts(7))
    sound = await verdict(store)
    async with store.write() as connection:
        await connection.execute(delete(events).where(events.c.row > 5))

    async def on() -> Broken | None:
        return [one async for one in walk.extend(store, sound)][-1].broken

    assert await on() == Broken(row=7, reason="is missing: the table was truncated or rolled back")
    await tell(store, acts(4, first=20))
    assert await on() == Broken(row=7, reason="was replaced since")
    assert (await verdict(store)).broken is None  # which is why letters are kept


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    row=st.integers(1, 9),
    column=st.sampled_from(sorted(set(CHANGES) - {"row"})),
    value=st.one_of(st.none(), st.integers(0, 2**63 - 1), st.text(max_size=20), st.binary(max_size=20)),
    batch=st.integers(1, 10),
)
async def test_random_tampering_is_found_at_its_row(
    tmp_path: Path, row: int, column: str, value: object, batch: int
) -> None:
    store = await _filled(tmp_path)
    try:
        before = await _cell(store, row, column)
        try:
            async with store.write() as connection:
                await connection.execute(
                    text(f"UPDATE events SET {column} = :v WHERE row = :r"), {"v": value, "r": row}
                )
        except HomeError:
            return  # the table itself refuses it
        changed = await _cell(store, row, column) != before
        found = await verdict(store, batch=batch)
        assert (found.broken is not None) == changed
        if found.broken is not None:
            assert found.broken.row == row
            assert found.row == row - 1
    finally:
        async with store.write() as connection:
            await connection.execute(delete(events))
        await store.close()


async def _filled(folder: Path) -> Store:
    store = await open_store(f"sqlite+aiosqlite:///{folder}/tampered.sqlite3")
    await tell(store, acts(9))
    return store


async def _cell(store: Store, row: int, column: str) -> object:
    async with store.read() as connection:
        found = await connection.execute(
            text(f"SELECT typeof({column}), hex({column}) FROM events WHERE row = :r"), {"r": row}
        )
        return tuple(found.one())
