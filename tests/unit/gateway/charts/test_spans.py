"""Spans of the home's calendar, around both clock changes, at the edges of the year and in odd zones."""

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.charts import spans
from shared.words.problem import HomeError

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 28, 9, 30, tzinfo=BERLIN)
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Havana",
    "Pacific/Apia",
    "UTC",
)


def hours(name: str, at: str) -> int:
    return spans.span(name, at, NOW).hours


def test_days_have_23_and_25_hours_where_the_clocks_change() -> None:
    assert [hours("day", at) for at in ("2026-03-29", "2026-10-25", "2026-11-23")] == [23, 25, 24]
    assert [hours("week", at) for at in ("2026-03-29", "2026-10-25")] == [167, 169]


def test_the_doubled_hour_is_there_twice_with_its_zones_and_the_skipped_one_is_not() -> None:
    autumn, spring = spans.span("day", "2026-10-25", NOW), spans.span("day", "2026-03-29", NOW)
    names = [autumn.row_name(moment) for moment in autumn.rows()[:-1]]
    assert names[1:5] == ["01:00", "02:00 CEST", "02:00 CET", "03:00"]
    assert [(tick.label, tick.under) for tick in autumn.ticks(narrow=False)][1:3] == [("02", "CEST"), ("02", "CET")]
    assert [spring.row_name(moment) for moment in spring.rows()[:-1]][1:4] == ["01:00", "03:00", "04:00"]
    assert autumn.change() == int(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp())
    assert spring.change() == int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp())
    assert spans.span("day", None, NOW).change() is None


def test_each_span_begins_and_ends_where_people_think() -> None:
    week, month, year = (spans.span(name, "2026-02-26", NOW) for name in ("week", "month", "year"))
    assert (week.first, week.days, week.title()) == (date(2026, 2, 23), 7, "23 February – 1 March 2026")
    assert (month.first, month.days, month.title()) == (date(2026, 2, 1), 28, "February 2026")
    assert (year.first, year.days, len(year.rows())) == (date(2026, 1, 1), 365, 13)
    assert spans.span("year", "2028-05-01", NOW).days == 366
    assert spans.span("week", "2027-01-01", NOW).title() == "28 December 2026 – 3 January 2027"


def test_there_is_nothing_after_today() -> None:
    today = NOW.date()
    assert spans.span("day", None, NOW).after(today) is None
    assert spans.span("day", "2026-11-27", NOW).after(today) == today
    assert spans.span("month", "2026-11-02", NOW).after(today) is None
    assert spans.span("day", "1971-01-01", NOW).before() is None


@pytest.mark.parametrize(
    "at", ["yesterday", "2026-02-30", "20261123", "2026-W05-3", "1970-12-31", "9999-01-01", "2026-11-23T10"]
)
def test_what_is_no_day_is_refused_with_what_is_one(at: str) -> None:
    with pytest.raises(HomeError, match="2026-11-23"):
        spans.span("day", at, NOW)


def test_what_is_no_span_is_refused_with_those_there_are() -> None:
    with pytest.raises(HomeError, match="day, week, month, year"):
        spans.span("decade", None, NOW)


@given(
    st.dates(date(1972, 1, 1), date(2037, 12, 31)), st.sampled_from(ZONES), st.sampled_from(spans.NAMES), st.booleans()
)
def test_points_and_rows_cover_the_span_once_upwards_and_within_bounds(
    day: date, zone: str, name: str, measured: bool
) -> None:
    span = spans.span(name, day.isoformat(), NOW.astimezone(ZoneInfo(zone)))
    for borders in (span.points(measured=measured), span.rows()):
        assert (borders[0], borders[-1]) == (span.begin, span.end)
        assert all(earlier < later for earlier, later in pairwise([*dict.fromkeys(borders)]))
        assert len(borders) <= 400
    assert span.begin < span.end
    assert all(span.begin <= tick.at <= span.end for tick in span.ticks(narrow=True))
    before, after = span.before(), span.after(date.max)
    assert before is not None
    assert spans.span(name, before.isoformat(), NOW.astimezone(ZoneInfo(zone))).end == span.begin
    assert after is not None
    assert spans.span(name, after.isoformat(), NOW.astimezone(ZoneInfo(zone))).begin == span.end
