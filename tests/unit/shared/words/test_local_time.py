"""What a time of day means in every zone there is, around every change of its clocks."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.words.local_time import first, last
from tests.unit.shared.words.zones import CHANGING, MINUTE, ZONES, changes


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "local", "begin", "end"),
    [
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00", "2026-03-29T01:00"),  # skipped
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30", "2026-10-25T01:30"),  # twice
        ("Europe/Berlin", "2026-07-01T12:00", "2026-07-01T10:00", "2026-07-01T10:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30", "2026-10-03T15:30"),  # half an hour
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45", "2026-04-04T15:15"),
        ("Africa/Casablanca", "2026-03-22T02:30", "2026-03-22T02:00", "2026-03-22T02:00"),
        ("Africa/Cairo", "2026-04-24T00:00", "2026-04-23T22:00", "2026-04-23T22:00"),  # a midnight that is skipped
        ("America/Havana", "2026-11-01T00:30", "2026-11-01T04:30", "2026-11-01T05:30"),  # and one that comes twice
        ("UTC", "2026-03-29T02:30", "2026-03-29T02:30", "2026-03-29T02:30"),
    ],
)
def test_a_time_means_what_a_household_means(zone: str, local: str, begin: str, end: str) -> None:
    named = datetime.fromisoformat(local)
    assert (first(named, ZoneInfo(zone)), last(named, ZoneInfo(zone))) == (utc(begin), utc(end))


@settings(max_examples=600, deadline=None)
@given(name=st.sampled_from(CHANGING), which=st.integers(0, 100), minutes=st.integers(-180, 180))
def test_around_every_change_it_is_the_first_and_the_last_minute_that_shows_it(
    name: str, which: int, minutes: int
) -> None:
    zone = ZoneInfo(name)
    change = changes(name)[which % len(changes(name))]
    local = change.astimezone(zone).replace(tzinfo=None, fold=0) + minutes * MINUTE
    shown = [
        (moment.astimezone(zone).replace(tzinfo=None, fold=0), moment)
        for moment in (change + far * MINUTE for far in range(-360, 361))
    ]
    exact = [moment for clock, moment in shown if clock == local]
    if exact:
        assert (first(local, zone), last(local, zone)) == (exact[0], exact[-1])
    else:
        following = min((clock, moment) for clock, moment in shown if clock > local)[1]
        assert first(local, zone) == last(local, zone) == following


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(ZONES),
    moment=st.integers(366 * 86400, 120 * 365 * 86400).map(lambda second: datetime.fromtimestamp(second, UTC)),
)
def test_every_moment_lies_between_the_passes_of_its_own_time(name: str, moment: datetime) -> None:
    zone = ZoneInfo(name)
    local = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    begin, end = first(local, zone), last(local, zone)
    assert begin <= moment <= end
    assert all(one.astimezone(zone).replace(tzinfo=None, fold=0) == local for one in (begin, end))


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(CHANGING), which=st.integers(0, 100), a=st.integers(-180, 180), b=st.integers(-180, 180))
def test_a_span_that_is_written_in_order_never_ends_before_it_begins(name: str, which: int, a: int, b: int) -> None:
    zone = ZoneInfo(name)
    change = changes(name)[which % len(changes(name))].astimezone(zone).replace(tzinfo=None, fold=0)
    early, late = sorted((a, b))
    assert first(change + early * MINUTE, zone) <= last(change + late * MINUTE, zone)
