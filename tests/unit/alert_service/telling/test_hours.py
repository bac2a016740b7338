"""Hours and days of a rule, against a reference that walks minute by minute, over zones and both clock changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert_service.telling import hours
from alert_service.telling.hours import Hours

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [BERLIN, UTC, *(ZoneInfo(x) for x in ("America/New_York", "Australia/Lord_Howe", "America/Santiago"))]
CHANGES = [
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),  # Berlin, forwards
    datetime(2026, 10, 25, 1, 0, tzinfo=UTC),  # Berlin, back
    datetime(2026, 3, 8, 7, 0, tzinfo=UTC),
    datetime(2026, 11, 1, 6, 0, tzinfo=UTC),
    datetime(2026, 4, 4, 15, 0, tzinfo=UTC),  # Lord Howe, half an hour
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    datetime(2026, 4, 5, 3, 0, tzinfo=UTC),  # Santiago, at midnight
    datetime(2026, 9, 6, 4, 0, tzinfo=UTC),
]
MINUTES = st.integers(0, 24 * 60 - 1)


def shown(zone: ZoneInfo, moment: datetime) -> str:
    return f"{moment.astimezone(zone):%a %H:%M %Z}"


def night(days: str | None = None, between: str = "23:00-06:00") -> Hours:
    start, end = hours.between(between)
    return Hours(start, end) if days is None else Hours(start, end, hours.days((days,)))


def fits(some: Hours, zone: ZoneInfo, moment: datetime) -> bool:
    """The reference: what a person would say who looks at the wall."""
    local = moment.astimezone(zone)
    minute = local.hour * 60 + local.minute
    over_midnight = some.start >= some.end
    if over_midnight and minute < some.end:
        return (local - timedelta(days=1)).weekday() in some.days
    return minute >= some.start and (over_midnight or minute < some.end) and local.weekday() in some.days


@given(
    st.sampled_from(ZONES),
    st.sampled_from(CHANGES),
    st.integers(-3000, 3000),
    MINUTES,
    st.integers(1, 24 * 60),
    st.frozensets(st.integers(0, 6), min_size=4),
)
def test_the_first_moment_is_the_one_that_is_found_minute_by_minute(
    zone: ZoneInfo, change: datetime, off: int, start: int, end: int, days: frozenset[int]
) -> None:
    if start == end % 1440:
        end = start + 1
    some = Hours(start, end, days)
    begin = change + timedelta(minutes=off)
    moment = begin
    assert some.hold(moment, zone) == fits(some, zone, moment)
    while not fits(some, zone, moment) and moment - begin < timedelta(days=5):
        moment += timedelta(minutes=1)
    if moment - begin < timedelta(days=5):
        assert some.first(begin, zone) == moment


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    friday = night("fri")
    assert friday.hold(datetime(2026, 7, 4, 2, 0, tzinfo=BERLIN), BERLIN)  # a Saturday
    assert not friday.hold(datetime(2026, 7, 3, 2, 0, tzinfo=BERLIN), BERLIN)  # a Friday
    assert not friday.hold(datetime(2026, 7, 4, 6, 0, tzinfo=BERLIN), BERLIN)


def test_a_beginning_that_is_skipped_is_the_next_minute_that_exists() -> None:
    early = night(between="02:30-04:00")
    evening = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)
    assert shown(BERLIN, early.first(evening, BERLIN)) == "Sun 03:00 CEST"


def test_of_a_doubled_hour_both_passes_count() -> None:
    early = night(between="02:15-02:45")
    first = early.first(datetime(2026, 10, 24, 20, 0, tzinfo=UTC), BERLIN)
    assert shown(BERLIN, first) == "Sun 02:15 CEST"
    assert not early.hold(first + timedelta(minutes=30), BERLIN)
    assert shown(BERLIN, early.first(first + timedelta(minutes=30), BERLIN)) == "Sun 02:15 CET"


def test_days_alone_begin_at_midnight() -> None:
    weekend = Hours(days=hours.days(("sat", "sun")))
    assert shown(BERLIN, weekend.first(datetime(2026, 7, 1, 12, 0, tzinfo=UTC), BERLIN)) == "Sat 00:00 CEST"
    assert Hours().always
    assert not weekend.always


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("23:00-06:00", (1380, 360)),
        ("7:05 - 7:06", (425, 426)),
        ("00:00-24:00", (0, 1440)),
        ("22:00-24:00", (1320, 1440)),
    ],
)
def test_hours_are_read(text: str, minutes: tuple[int, int]) -> None:
    assert hours.between(text) == minutes


@pytest.mark.parametrize("text", ["", "23-6", "23:00", "25:00-06:00", "23:60-06:00", "24:00-06:00", "24:01-06:00"])
def test_hours_that_are_none_are_told_with_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match='"23:00-06:00"'):
        hours.between(text)


@pytest.mark.parametrize("text", ["06:00-06:00", "00:00-00:00"])
def test_hours_that_begin_when_they_end_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="leave it out for the whole day"):
        hours.between(text)


def test_days_are_read() -> None:
    assert hours.days(("mon-fri",)) == {0, 1, 2, 3, 4}
    assert hours.days(("fri-mon",)) == {4, 5, 6, 0}
    assert hours.days(("Sat", "sun")) == {5, 6}
    for wrong in ("monday", "mon-", "mo-fr", ""):
        with pytest.raises(ValueError, match='"mon-fri"'):
            hours.days((wrong,))


def test_lengths_are_read() -> None:
    assert [hours.lasting(x) for x in ("10 min", "90s", "2 h", "1 h 30 min")] == [600, 90, 7200, 5400]
    for wrong in ("10", "ten minutes", "10 minutes", "0 min", "8000 min 200 h", ""):
        with pytest.raises(ValueError, match='"10 min"'):
            hours.lasting(wrong)
