"""Grants in words: when, what, how it stands now, what comes next and when it ends."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.pages.guests import week, words
from shared.words.internal import Grant
from shared.words.names import Action
from tests.unit.gateway.pages.test_words import rooms

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=BERLIN)
CHRISTMAS = datetime(2026, 12, 24, 23, tzinfo=UTC)
NIGHTS = Grant(room="hall", device="lamp", weekdays=(0, 1, 2, 3, 4), from_minute=1320, to_minute=360, until=CHRISTMAS)
ALWAYS = Grant(room="hall", device="lamp")


@pytest.mark.parametrize(
    ("grant", "told"),
    [
        (ALWAYS, "Lamp in Hall, every day, at any time"),
        (NIGHTS, "Lamp in Hall, Mon to Fri, 22:00 to 06:00, until 24 December"),
        (
            Grant(room="hall", device="lamp", weekdays=(0, 4), from_minute=480, actions=(Action.ON, Action.OFF)),
            "Lamp in Hall (On, Off only), Mon, Fri, 08:00 to 24:00",
        ),
        (
            Grant(room="attic", device="fan", actions=(), since=CHRISTMAS, until=datetime(2027, 1, 2, 9, tzinfo=UTC)),
            "attic/fan (looking only), every day, at any time, from 25 December, until 2 January 2027 10:00",
        ),
    ],
)
def test_a_grant_is_told_in_words(grant: Grant, told: str) -> None:
    assert words.sentence(grant, rooms().rooms(), MONDAY_NOON) == told


@pytest.mark.parametrize(
    ("grants", "now", "told"),
    [
        ([ALWAYS], MONDAY_NOON, (True, ("Without end.",))),
        ([NIGHTS], MONDAY_NOON, (False, ("Next today 22:00.", "Ends for good: 24 December."))),
        (
            [NIGHTS],
            MONDAY_NOON.replace(hour=23),
            (True, ("Until tomorrow 06:00.", "Next tomorrow 22:00.", "Ends for good: 24 December.")),
        ),
        (
            [NIGHTS],
            datetime(2026, 12, 24, 23, tzinfo=BERLIN),
            (True, ("Until tomorrow 00:00.", "Not again after that.", "Ends for good: 24 December.")),
        ),
        ([NIGHTS], datetime(2026, 12, 27, 12, tzinfo=BERLIN), (False, ("Over.",))),
        ([NIGHTS, ALWAYS], MONDAY_NOON, (True, ("Without end.",))),
        (
            [Grant(room="hall", device="lamp", weekdays=(5,), since=datetime(2027, 1, 1, tzinfo=UTC))],
            MONDAY_NOON,
            (False, ("Next 2 January 2027 00:00.",)),
        ),
    ],
)
def test_how_a_device_stands(grants: list[Grant], now: datetime, told: tuple[bool, tuple[str, ...]]) -> None:
    assert words.standing(grants, now) == told


def test_a_week_begins_today_and_is_drawn_as_it_is_told() -> None:
    days = week.days([NIGHTS], MONDAY_NOON)
    assert [day.name for day in days] == ["Today", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert [day.told for day in days] == [
        "22:00–24:00",
        *["00:00–06:00, 22:00–24:00"] * 4,
        "00:00–06:00",
        "not at all",
    ]
    assert days[1].bars == ((0, 360), (1320, 120))
    assert [day.now for day in days] == [720, *[None] * 6]
    assert [day.told for day in week.days([ALWAYS], MONDAY_NOON)] == ["all day"] * 7


def test_a_day_of_25_hours_fills_its_strip_and_shows_both_passes() -> None:
    twice = Grant(room="hall", device="lamp", from_minute=120, to_minute=180)
    (sunday,) = [day for day in week.days([twice], datetime(2026, 10, 24, 12, tzinfo=BERLIN)) if day.name == "Sun"]
    assert sunday.told == "02:00–03:00"
    assert sunday.bars == ((115, 115),)  # two of twenty-five hours
