"""A record whose file is torn goes on with what can be read, as a chain that verifies and says what is lost."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from alert_service.letters import mailbox
from alert_service.record import mending, walk
from alert_service.store import open_store
from alert_service.tables import deliveries, events, letters
from alert_service.telling.policy import Policy
from shared.keeping.database import Store
from shared.keeping.torn import TornError, examine
from shared.words.problem import HomeError
from tests.unit.alert_service.parts import HOUSE, START, event
from tests.unit.alert_service.record_parts import acts, all_rows, tell, verdict

ROWS = 300
PAGE = 4096
POLICY = Policy()


def url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


async def make(path: Path) -> None:
    store = await open_store(url(path))
    await tell(store, acts(ROWS))
    await store.close()


@pytest.fixture(scope="module")
def whole() -> Path:
    """A sound record of many rows."""
    folder = Path(tempfile.mkdtemp())
    asyncio.run(make(folder / "alerts.sqlite3"))
    return folder / "alerts.sqlite3"


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / "alerts.sqlite3"))


def page_of(path: Path, text: bytes) -> int:
    """Where the page of the table begins that holds this text."""
    return path.read_bytes().index(text) // PAGE * PAGE


def spoil(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def size(path: Path) -> int:
    return path.stat().st_size


def content(path: Path) -> bytes:
    return path.read_bytes()


async def gone_on(path: Path) -> Store:
    """The record after it was put aside, with its letter and one more event."""
    assert await mending.put_aside(url(path)) is not None
    store = await open_store(url(path))
    await mending.tell(store, START, HOUSE)
    await tell(store, acts(1, first=ROWS + 1000))
    return store


async def test_a_page_in_the_middle_is_told_as_lost_and_the_chain_goes_on(path: Path) -> None:
    spoil(path, page_of(path, b'"r150"'), bytes(PAGE))
    store = await gone_on(path)
    rows = await all_rows(store)
    async with store.read() as connection:
        (told,) = await mending.lost(connection)
        found = (await connection.execute(select(letters.c.kind, letters.c.outcome))).all()
    assert sorted({*range(1, ROWS + 3)} - {row.row for row in rows}) == list(range(told[0], told[1] + 1))
    assert 1 <= told[1] - told[0] + 1 < ROWS // 2
    assert (await verdict(store)).broken is None
    assert (await verdict(store)).row == ROWS + 2
    event = rows[-2].event
    assert (event.what, event.severity.value) == (mending.TORN, "critical")
    assert (Path(event.detail["aside"]).parent, event.detail[mending.LOST]) == (path.parent, f"{told[0]}-{told[1]}")
    assert ("event", rows[-2].row) in [(one.kind, one.outcome) for one in found], "a letter tells"
    await store.close()


async def test_rows_that_are_missing_and_were_never_told_as_lost_are_a_broken_chain(path: Path) -> None:
    spoil(path, page_of(path, b'"r150"'), bytes(PAGE))
    store = await gone_on(path)
    async with store.write() as connection:
        await connection.execute(events.delete().where(events.c.row == 20))
    assert (await verdict(store)).row == 19
    assert (await verdict(store)).broken is not None
    await store.close()


async def test_a_told_loss_covers_no_row_more(path: Path) -> None:
    spoil(path, page_of(path, b'"r150"'), bytes(PAGE))
    store = await gone_on(path)
    async with store.write() as connection:
        ((first, last),) = await mending.lost(connection)
        await connection.execute(events.delete().where(events.c.row == last + 1))
    assert (await verdict(store)).row == first - 1
    await store.close()


async def test_a_record_without_its_first_page_is_read_all_the_same(path: Path) -> None:
    spoil(path, 0, bytes(PAGE))
    with pytest.raises(TornError, match="homesystem repair"):
        await open_store(url(path))
    store = await gone_on(path)
    assert len(await all_rows(store)) == ROWS + 2
    assert (await verdict(store)).broken is None
    await store.close()


async def test_a_record_of_which_nothing_is_left_begins_anew_and_says_so(path: Path) -> None:
    spoil(path, 0, bytes(size(path)))
    store = await gone_on(path)
    rows = await all_rows(store)
    assert rows[0].event.what == mending.TORN
    assert rows[0].event.detail["rows"] == "0"
    assert (await verdict(store)).broken is None
    await store.close()


@pytest.mark.parametrize("left", [0, 1])
async def test_a_record_that_was_cut_is_no_new_one(path: Path, left: int) -> None:
    os.truncate(path, left)
    with pytest.raises(TornError, match="cut to nothing"):
        await mending.open_record(url(path))


async def test_the_letter_about_a_loss_is_made_once(path: Path) -> None:
    spoil(path, 0, bytes(PAGE))
    store = await gone_on(path)
    await mending.tell(store, START, HOUSE)
    async with store.read() as connection:
        assert len((await connection.execute(select(letters))).all()) == 1
    await store.close()


async def test_what_belonged_to_lost_letters_stops_no_letter_to_come(path: Path) -> None:
    store = await open_store(url(path))
    await tell(store, [("hall", event(id=f"c{number}", seq=900 + number)) for number in range(9)])
    async with store.write() as connection:
        for (letter,) in (await connection.execute(select(letters.c.id))).all():
            await connection.execute(insert(deliveries), [mailbox.delivery(letter, "ada@example.org", START)])
    await store.close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'letters'").fetchone()
    spoil(path, (root - 1) * PAGE, os.urandom(PAGE))

    store = await gone_on(path)
    async with store.write() as connection:
        found = (await connection.execute(select(letters.c.id))).scalars().all()
        assert (await connection.execute(select(deliveries))).all() == []
        assert (await connection.execute(text("PRAGMA foreign_key_check"))).all() == []
        await connection.execute(insert(deliveries), [mailbox.delivery(found[0], "ada@example.org", START)])
    (told,) = [row.event for row in await all_rows(store) if row.event.what == mending.TORN]
    assert told.detail[mending.UNSENT] == "9"
    await store.close()


async def test_a_sound_record_stays_where_it_is(path: Path) -> None:
    before = content(path)
    assert await mending.put_aside(url(path)) is None
    assert await mending.put_aside("postgresql+asyncpg://nobody@localhost/none") is None
    assert content(path) == before


async def test_a_torn_page_that_is_met_while_it_serves_ends_the_use_of_the_file(path: Path) -> None:
    spoil(path, page_of(path, b'"r150"'), bytes(PAGE))
    store = await open_store(url(path))
    assert not store.torn
    with contextlib.suppress(HomeError):
        async for _ in walk.walk(store):
            pass
    assert store.torn
    await store.until_torn()
    await store.close()


damage = st.one_of(
    st.tuples(st.just("bytes"), st.integers(0, 400_000), st.binary(min_size=1, max_size=5000)),
    st.tuples(st.just("cut"), st.integers(1, 400_000), st.just(b"")),
)


@settings(max_examples=25, deadline=None)
@given(damages=st.lists(damage, min_size=1, max_size=3))
def test_whatever_the_bytes_are_the_record_goes_on(whole: Path, damages: list[tuple[str, int, bytes]]) -> None:
    async def live(path: Path) -> None:
        await mending.put_aside(url(path))
        assert examine(path) is None
        store = await open_store(url(path))
        await mending.tell(store, START, HOUSE)
        await tell(store, acts(1, first=ROWS + 1000))
        rows = await all_rows(store)
        assert rows[-1].event.id == f"e{ROWS + 1000}"
        await verdict(store, batch=500)
        async with store.read() as connection:
            assert (await connection.execute(text("PRAGMA foreign_key_check"))).all() == []
        await store.close()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(whole, Path(folder) / "alerts.sqlite3"))
        for how, at, content in damages:
            if how == "cut":
                os.truncate(path, min(at, path.stat().st_size))
            else:
                spoil(path, at % max(1, path.stat().st_size), content)
        asyncio.run(live(path))
