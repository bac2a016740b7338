"""Moments are told briefly, and in the household's own time."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.pages import times

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 21, 30, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (datetime(2026, 11, 23, 20, 4, tzinfo=UTC), "21:04"),
        (datetime(2026, 11, 22, 23, 30, tzinfo=UTC), "00:30"),
        (datetime(2026, 11, 22, 22, 30, tzinfo=UTC), "Sunday 23:30"),
        (datetime(2026, 11, 17, 12, 0, tzinfo=UTC), "Tuesday 13:00"),
        (datetime(2026, 11, 16, 12, 0, tzinfo=UTC), "16 November 13:00"),
        (datetime(2025, 3, 3, 12, 0, tzinfo=UTC), "3 March 2025 13:00"),
        (datetime(2026, 11, 24, 12, 0, tzinfo=UTC), "24 November 13:00"),
    ],
)
def test_a_moment_is_told_as_briefly_as_it_can_be(moment: datetime, told: str) -> None:
    assert times.clock(moment, NOW) == told


@pytest.mark.parametrize(
    ("day", "told"), [(23, "Today"), (22, "Yesterday"), (21, "Saturday 21 November"), (24, "Tuesday 24 November")]
)
def test_days_have_the_names_that_people_use(day: int, told: str) -> None:
    assert times.day(datetime(2026, 11, day, 12, tzinfo=BERLIN), NOW) == told


def test_the_full_time_names_its_zone() -> None:
    assert times.full(datetime(2026, 7, 1, 10, 0, 5, tzinfo=UTC), BERLIN) == "Wednesday 1 July 2026, 12:00:05 CEST"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(1, "1 second"), (40, "40 seconds"), (90, "2 minutes"), (600, "10 minutes"), (86000, "24 hours")],
)
def test_a_wait_is_told_in_words_and_never_too_short(seconds: int, told: str) -> None:
    assert times.wait(seconds) == told
