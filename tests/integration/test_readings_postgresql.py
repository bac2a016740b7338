"""The recorder over PostgreSQL: the same rules, another database."""

from collections.abc import AsyncIterator

import pytest

from alert_service.readings.store import open_store
from shared.keeping.database import Store
from tests.unit.alert_service.readings import book_parts as parts


@pytest.fixture
async def store(empty_database: str) -> AsyncIterator[Store]:
    """The database, migrated."""
    opened = await open_store(empty_database)
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
