"""The recorder over SQLite: rows, sums, gaps, what goes and what stays, and clocks that jump."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from alert_service.readings.book import Book
from alert_service.readings.store import open_store, put_aside
from shared.broker.bus import Delivery
from shared.keeping.database import Store
from shared.words.internal_readings import ReadingsQuery
from shared.words.names import Kind
from shared.words.problem import HomeError
from tests.unit.alert_service.readings import book_parts as parts
from tests.unit.alert_service.readings.book_parts import AIR, LAMP, Recorder
from tests.unit.alert_service.readings.parts import START


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("readings") / "made.sqlite3"

    async def make() -> None:
        await (await open_store(f"sqlite+aiosqlite:///{path}")).close()

    asyncio.run(make())
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "readings.sqlite3"


@pytest.fixture
async def store(path: Path, made: Path) -> AsyncIterator[Store]:
    """An open database with its tables."""
    shutil.copy(made, path)
    opened = await open_store(f"sqlite+aiosqlite:///{path}")
    yield opened
    await opened.close()


async def test_what_was_said_is_answered_from_rows_and_from_sums_alike(store: Store) -> None:
    await parts.what_was_said_is_answered_from_rows_and_from_sums_alike(store)


async def test_a_room_away_is_a_gap_and_so_are_we(store: Store) -> None:
    await parts.a_room_away_is_a_gap_and_so_are_we(store)


async def test_what_is_over_its_time_goes_and_what_still_holds_stays(store: Store) -> None:
    await parts.what_is_over_its_time_goes_and_what_still_holds_stays(store)


async def test_a_clock_that_jumps_is_bounded(store: Store) -> None:
    await parts.a_clock_that_jumps_is_bounded(store)


async def test_a_write_that_fails_is_made_up_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(store)
    await recorder.begin()
    recorder.say(LAMP, "on")

    async def full(*_: object) -> None:
        raise HomeError("internal", "the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Book, "_sum_hours", full)
        assert not await recorder.keeper.write()
    assert recorder.keeper.failing
    assert recorder.book.ids == {}
    assert await recorder.keeper.write()
    assert not recorder.keeper.failing
    assert [row.said.value for row in await recorder.book.rows(recorder.book.ids[LAMP], 0, 2**62)] == [1.0]


async def test_what_is_malformed_or_no_number_costs_nothing(store: Store) -> None:
    recorder = Recorder(store)
    await recorder.begin()
    for payload in (b"NaN", b'{"value": 1e999, "since": "2023-11-14T22:15:10Z", "by": {"source": "input"}}', b"{", b""):
        delivery = Delivery(topic="home/hall/air/state", payload=payload, retained=False, connection=None, mid=1)
        recorder.keeper.hear(delivery)
    recorder.say(AIR, 20.5)
    assert await recorder.keeper.write()
    assert [row.said.value for row in await recorder.book.rows(recorder.book.ids[AIR], 0, 2**62) if row.said.value] == [
        20.5
    ]


async def test_too_many_points_are_refused_with_what_would_be_right(store: Store) -> None:
    recorder = Recorder(store)
    await recorder.begin()
    with pytest.raises(HomeError, match="step=44"):
        await recorder.ask(AIR, START - 86_400, START, 1)
    with pytest.raises(HomeError, match="later than since"):
        await recorder.ask(AIR, START, START)
    query = ReadingsQuery(room="hall", device="air", kind=Kind.HUMIDITY, since=0, until=1, borders=(300, 200))
    with pytest.raises(HomeError, match="upwards"):
        await recorder.asking.answer(query)


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[:16] = b"no database here"
    path.write_bytes(content)


def asides(path: Path) -> list[Path]:
    return list(path.parent.glob("*.torn-*"))


async def test_a_torn_file_goes_aside_and_what_can_be_read_goes_on(store: Store, path: Path) -> None:
    recorder = Recorder(store)
    await recorder.begin()
    recorder.say(AIR, 20.5)
    await recorder.wait(60)
    await store.close()
    spoil(path)
    assert await put_aside(f"sqlite+aiosqlite:///{path}")
    assert asides(path)
    opened = await open_store(f"sqlite+aiosqlite:///{path}")
    again = Recorder(opened, recorder.wall)
    await again.begin()
    await opened.close()
