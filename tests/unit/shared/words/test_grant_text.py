"""A grant as one line, and days, hours and moments as people write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.words import grant_text
from shared.words.internal import Grant
from shared.words.names import Action

BERLIN = ZoneInfo("Europe/Berlin")
EVE = datetime(2026, 12, 24, 23, tzinfo=UTC)

moments = st.none() | st.integers(0, 10**9).map(lambda seconds: EVE + timedelta(seconds=seconds))
grants = st.builds(
    Grant,
    room=st.sampled_from(["hall", "back-yard"]),
    device=st.sampled_from(["lamp", "only", "from", "mon"]),
    actions=st.none() | st.lists(st.sampled_from(list(Action)), unique=True).map(tuple),
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    from_minute=st.integers(0, 1439),
    to_minute=st.integers(1, 1440),
    since=moments,
    until=moments,
)


@given(grants)
def test_what_was_written_is_read_as_it_was(grant: Grant) -> None:
    assert grant_text.read(grant_text.written(grant)) == grant


@pytest.mark.parametrize(
    ("grant", "line"),
    [
        (Grant(room="hall", device="lamp"), "hall/lamp"),
        (
            Grant(room="hall", device="lamp", weekdays=(0, 1, 2, 3, 4), from_minute=1320, to_minute=360, until=EVE),
            "hall/lamp mon-fri 22:00-06:00 until 2026-12-24T23:00:00Z",
        ),
        (Grant(room="hall", device="lamp", since=EVE, actions=()), "hall/lamp from 2026-12-24T23:00:00Z only look"),
        (
            Grant(room="hall", device="lamp", weekdays=(0, 1, 5), actions=(Action.ON, Action.OFF)),
            "hall/lamp mon,tue,sat only on off",
        ),
    ],
)
def test_a_line_leaves_out_what_has_no_limit(grant: Grant, line: str) -> None:
    assert grant_text.written(grant) == line


def test_for_people_moments_are_days_and_times_of_theirs_and_the_last_day_is_included() -> None:
    grant = Grant(room="hall", device="lamp", since=EVE - timedelta(days=1, hours=5), until=EVE)
    assert grant_text.written(grant, BERLIN) == "hall/lamp from 2026-12-23T19:00 until 2026-12-24"


@pytest.mark.parametrize("line", ["", "hall", "hall/lamp someday", "hall/lamp 9-17", "hall/lamp only fly", "a/b until"])
def test_another_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        grant_text.read(line)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon", (0,)),
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("Sat, SUN", (5, 6)),
        ("fri-mon", (0, 4, 5, 6)),
        ("monday-wednesday,sun", (0, 1, 2, 6)),
        ("tue-mon", (0, 1, 2, 3, 4, 5, 6)),
    ],
)
def test_days_are_read(text: str, days: tuple[int, ...]) -> None:
    assert grant_text.read_days(text) == days


@pytest.mark.parametrize("text", ["", "mo", "mon-", "-fri", "mon fri", "mon,,fri", "montag", "mon-fri-sun"])
def test_what_names_no_days_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no weekday"):
        grant_text.read_days(text)


@pytest.mark.parametrize(
    ("text", "minutes"), [("22:00-06:00", (1320, 360)), ("0:00-24:00", (0, 1440)), (" 8:30-9:05 ", (510, 545))]
)
def test_hours_are_read(text: str, minutes: tuple[int, int]) -> None:
    assert grant_text.read_hours(text) == minutes


@pytest.mark.parametrize(
    "text", ["", "22-06", "25:00-06:00", "22:60-06:00", "24:01-06:00", "22:00", "22:00-06:00-07:00"]
)
def test_what_is_no_span_of_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no span of hours"):
        grant_text.read_hours(text)


@pytest.mark.parametrize(
    ("text", "ends", "moment"),
    [
        ("2026-12-24", False, "2026-12-23T23:00"),
        ("2026-12-24", True, "2026-12-24T23:00"),
        ("2026-12-24T18:00", False, "2026-12-24T17:00"),
        ("2026-10-25T02:30", False, "2026-10-25T00:30"),  # comes twice: begins with the first
        ("2026-10-25T02:30", True, "2026-10-25T01:30"),  # and ends with the last
        ("2026-03-29T02:30", False, "2026-03-29T01:00"),  # is skipped
        ("2026-12-24T18:00:00Z", False, "2026-12-24T18:00"),
    ],
)
def test_a_day_or_a_time_of_the_home_is_a_moment(text: str, ends: bool, moment: str) -> None:
    assert grant_text.read_moment(text, BERLIN, ends=ends) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "tomorrow", "24.12.2026", "2026-13-01", "9999-12-31"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no day"):
        grant_text.read_moment(text, BERLIN, ends=True)


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)), st.booleans())  # noqa: DTZ001 - times of the home
def test_a_moment_told_is_the_moment_that_is_read(local: datetime, ends: bool) -> None:
    moment = grant_text.read_moment(f"{local:%Y-%m-%dT%H:%M}", BERLIN, ends=ends)
    again = grant_text.read_moment(grant_text.moment(moment, BERLIN, ends=ends), BERLIN, ends=ends)
    assert again == moment
