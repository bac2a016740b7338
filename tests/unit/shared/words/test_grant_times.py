"""When grants hold: by the clock of the home, over midnight, around every change of every zone's clocks."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.words.grant_times import day_begun, first_of_day, holds, next_change, outlook, spells
from shared.words.internal import Grant
from tests.unit.shared.words.zones import CHANGING, MINUTE, ZONES, changes

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=BERLIN)
WEEK = 7 * 1440


def test_a_grant_ends_at_its_moment() -> None:
    grant = Grant(room="hall", device="lamp", until=MONDAY_NOON)
    assert holds(grant, MONDAY_NOON - timedelta(seconds=1))
    assert not holds(grant, MONDAY_NOON)


def test_a_grant_keeps_to_its_weekdays_and_hours() -> None:
    grant = Grant(room="hall", device="lamp", weekdays=(0,), from_minute=9 * 60, to_minute=17 * 60)
    assert holds(grant, MONDAY_NOON)
    assert not holds(grant, MONDAY_NOON + timedelta(days=1))
    assert not holds(grant, MONDAY_NOON.replace(hour=8, minute=59))
    assert not holds(grant, MONDAY_NOON.replace(hour=17))


def test_a_grant_over_midnight_belongs_to_its_evening() -> None:
    grant = Grant(room="hall", device="lamp", weekdays=(0,), from_minute=22 * 60, to_minute=6 * 60)
    assert holds(grant, MONDAY_NOON.replace(hour=23))
    assert holds(grant, MONDAY_NOON.replace(hour=5) + timedelta(days=1))
    assert not holds(grant, MONDAY_NOON.replace(hour=5))
    assert not holds(grant, MONDAY_NOON.replace(hour=23) + timedelta(days=1))


def test_a_grants_hours_are_what_the_homes_clock_shows_in_both_passes_and_after_a_skip() -> None:
    def held(begin: int, end: int, first: str, minutes: int) -> list[str]:
        grant = Grant(room="hall", device="lamp", from_minute=begin, to_minute=end)
        moments = (datetime.fromisoformat(first) + timedelta(minutes=n) for n in range(minutes))
        return [f"{at:%H:%M}" for at in moments if holds(grant, at.astimezone(BERLIN))]

    twice = held(2 * 60 + 30, 2 * 60 + 40, "2026-10-24T22:00+00:00", 6 * 60)
    assert twice == [f"{day}:{minute}" for day in ("00", "01") for minute in range(30, 40)]
    skipped = held(2 * 60 + 30, 3 * 60 + 10, "2026-03-28T22:00+00:00", 8 * 60)
    assert skipped == [f"01:{minute:02d}" for minute in range(10)]


def test_a_midnight_that_comes_twice_begins_a_day_at_its_first_pass() -> None:
    havana = ZoneInfo("America/Havana")
    begun = [datetime(2024, 11, 3, hour, 0, tzinfo=UTC) for hour in (4, 5)]
    grants = [Grant(room="hall", device="lamp", from_minute=0, to_minute=1)]
    told = spells(grants, (begun[0] - MINUTE).astimezone(havana), begun[1] + 10 * MINUTE)
    assert told == [(at, at + MINUTE) for at in begun]
    assert next_change(grants, (begun[0] - MINUTE).astimezone(havana)) == begun[0]


def granted_minutes(grant: Grant) -> frozenset[int]:
    """The minutes of a week, from Monday's midnight on, that the words of a grant name, one by one."""
    length = grant.to_minute - grant.from_minute
    length += 1440 if length < 0 else 0
    return frozenset(
        (day * 1440 + grant.from_minute + minute) % WEEK for day in grant.weekdays for minute in range(length)
    )


def slowly(grant: Grant, zone: tzinfo) -> Callable[[datetime], bool]:
    """The reference: what the clock on the wall shows, looked up among the minutes that were granted."""
    minutes = granted_minutes(grant)

    def held(moment: datetime) -> bool:
        if grant.since is not None and (moment - grant.since).total_seconds() < 0:
            return False
        if grant.until is not None and (moment - grant.until).total_seconds() >= 0:
            return False
        wall = moment.astimezone(zone)
        return int(wall.strftime("%u")) * 1440 - 1440 + wall.hour * 60 + wall.minute in minutes

    return held


class Near(NamedTuple):
    """A zone, the minute (UTC) at which its clocks are set, and one shortly before or after."""

    zone: ZoneInfo
    change: datetime
    moment: datetime


@st.composite
def around_a_change(draw: st.DrawFn) -> Near:
    name = draw(st.sampled_from(CHANGING))
    change = draw(st.sampled_from(changes(name)))
    return Near(ZoneInfo(name), change, change + draw(st.integers(-240, 120)) * MINUTE)


@st.composite
def grants_near(draw: st.DrawFn, near: Near) -> Grant:
    """A grant whose hours begin and end where clocks are set, or anywhere; often within the time that is skipped."""
    shown = near.change.astimezone(near.zone)
    minute = st.integers(-130, 130).map(lambda far: (shown.hour * 60 + shown.minute + far) % 1440) | st.integers(
        0, 1439
    )
    begin, end = draw(minute), draw(minute)
    since = draw(st.none() | st.integers(-200, 200).map(lambda far: near.change + far * MINUTE))
    until = draw(st.none() | st.integers(1, 400).map(lambda far: (since or near.change) + far * MINUTE))
    today = shown.weekday()
    days = st.just(set(range(7))) | st.sets(st.sampled_from([(today - 1) % 7, today, (today + 1) % 7]), min_size=1)
    return Grant(
        room="hall",
        device="lamp",
        weekdays=tuple(draw(days)),
        from_minute=begin if begin != end else 0,
        to_minute=end if begin != end else 1440,
        since=since,
        until=until,
    )


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_around_every_change_a_grant_holds_in_the_minutes_that_the_slow_reading_says(data: st.DataObject) -> None:
    near = data.draw(around_a_change())
    grant = data.draw(grants_near(near))
    held = slowly(grant, near.zone)
    told = spells([grant], near.moment.astimezone(near.zone), near.moment + 600 * MINUTE)
    assert told == sorted(told)
    for far in range(600):
        at = near.moment + far * MINUTE
        assert holds(grant, at.astimezone(near.zone)) == held(at)
        assert any(begin <= at < end for begin, end in told) == held(at)


def walked(looks: Callable[[datetime], object], moment: datetime, minutes: int) -> datetime | None:
    """The first minute at which it looks otherwise than now, by going there."""
    before = looks(moment)
    return next((at for far in range(1, minutes) if looks(at := moment + far * MINUTE) != before), None)


def check(found: datetime | None, expected: datetime | None, end: datetime) -> None:
    """Who walks no further than `end` cannot say what comes behind it."""
    if expected is None:
        assert found is None or found >= end
    else:
        assert found == expected


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_next_change_of_several_grants_is_the_one_that_one_comes_to_minute_by_minute(data: st.DataObject) -> None:
    zone, _, moment = near = data.draw(around_a_change())
    grants = [data.draw(grants_near(near)) for _ in range(data.draw(st.integers(1, 3)))]
    held = [slowly(grant, zone) for grant in grants]
    now, minutes = moment.astimezone(zone), 600
    end = moment + minutes * MINUTE
    check(next_change(grants, now), walked(lambda at: [one(at) for one in held], moment, minutes), end)
    told = outlook(grants, now)
    assert told.holds == any(one(moment) for one in held)
    check(told.changes, walked(lambda at: any(one(at) for one in held), moment, minutes), end)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_over_weeks_and_in_every_zone_the_next_change_is_found_or_there_is_none(data: st.DataObject) -> None:
    zone = ZoneInfo(data.draw(st.sampled_from(ZONES)))
    start = datetime(2025, 1, 1, tzinfo=UTC) + data.draw(st.integers(0, 3 * 365 * 96)) * 15 * MINUTE
    grant = Grant(
        room="hall",
        device="lamp",
        weekdays=tuple(data.draw(st.sets(st.integers(0, 6), min_size=1, max_size=7))),
        from_minute=data.draw(st.integers(0, 95)) * 15,
        to_minute=data.draw(st.integers(1, 96)) * 15,
        until=start + data.draw(st.integers(1, 2000)) * 15 * MINUTE,
    )
    held = slowly(grant, zone)
    quarters = 2100  # past `until`: what has not changed by then never does
    before = held(start)
    expected = next((at for far in range(1, quarters) if held(at := start + far * 15 * MINUTE) != before), None)
    assert next_change([grant], start.astimezone(zone)) == expected


def test_hours_that_a_change_of_the_clocks_skips_for_once_come_in_the_week_after() -> None:
    sundays = Grant(room="hall", device="lamp", weekdays=(6,), from_minute=135, to_minute=165)
    saturday = datetime(2026, 3, 28, 12, tzinfo=BERLIN)
    assert outlook([sundays], saturday) == (False, datetime(2026, 4, 5, 0, 15, tzinfo=UTC))


def test_hours_that_come_twice_are_granted_twice_and_not_what_lies_between() -> None:
    night = Grant(room="hall", device="lamp", from_minute=22 * 60, to_minute=150)
    at, told = datetime(2026, 10, 24, 23, tzinfo=BERLIN), []
    for _ in range(4):
        found = outlook([night], at).changes
        assert found is not None
        told.append(f"{found:%d %H:%M}")
        at = found.astimezone(BERLIN)
    assert told == ["25 00:30", "25 01:00", "25 01:30", "25 21:00"]


def test_what_begins_where_another_ends_goes_on_with_it() -> None:
    evening = Grant(room="hall", device="lamp", weekdays=(0,), from_minute=18 * 60, to_minute=22 * 60)
    night = Grant(room="hall", device="lamp", weekdays=(0,), from_minute=22 * 60, to_minute=6 * 60)
    assert outlook([evening, night], MONDAY_NOON.replace(hour=19)) == (True, datetime(2026, 11, 24, 5, tzinfo=UTC))
    assert next_change([evening, night], MONDAY_NOON.replace(hour=19)) == datetime(2026, 11, 23, 21, tzinfo=UTC)


def test_what_always_holds_never_changes_and_what_is_over_never_comes_back() -> None:
    always = Grant(room="hall", device="lamp")
    assert outlook([always], MONDAY_NOON) == (True, None)
    over = Grant(room="hall", device="lamp", from_minute=60, to_minute=120, until=MONDAY_NOON)
    assert outlook([over], MONDAY_NOON) == (False, None)
    assert outlook([], MONDAY_NOON) == (False, None)


def test_a_grant_of_next_year_is_foreseen_to_the_minute() -> None:
    then = datetime(2027, 8, 1, tzinfo=BERLIN)
    summer = Grant(room="hall", device="lamp", weekdays=(5,), from_minute=600, to_minute=660, since=then)
    assert outlook([summer], MONDAY_NOON) == (False, datetime(2027, 8, 7, 8, tzinfo=UTC))


@pytest.mark.parametrize(
    ("zone", "day", "moment"),
    [
        ("Europe/Berlin", "2026-12-25", "2026-12-24T23:00"),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00"),  # its midnight is skipped
        ("America/Havana", "2026-11-01", "2026-11-01T04:00"),  # its midnight comes twice
    ],
)
def test_a_day_begins_where_its_midnight_is_or_would_have_been(zone: str, day: str, moment: str) -> None:
    began = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert first_of_day(date.fromisoformat(day), ZoneInfo(zone)) == began
    assert day_begun(began, ZoneInfo(zone)) == date.fromisoformat(day)
    assert day_begun(began + MINUTE, ZoneInfo(zone)) is None
