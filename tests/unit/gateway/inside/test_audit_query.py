"""What an address asks of the history: read exactly, or refused with what would be right."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict

from gateway.inside import audit_query
from shared.words.internal_alerts import AuditFilter
from shared.words.names import Outcome
from shared.words.problem import HomeError

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026-11-23", "2026-11-22T23:00:00", "2026-11-23T23:00:00"),
        ("2026-03-29", "2026-03-28T23:00:00", "2026-03-29T22:00:00"),  # a day of 23 hours
        ("2026-11-23T20:04", "2026-11-23T19:04:00", None),
        ("2026-11-23T20:04:05", "2026-11-23T19:04:05", None),
        ("2026-11-23T20:04:05Z", "2026-11-23T20:04:05", None),
        ("2026-11-23T20:04:05.25+01:00", "2026-11-23T19:04:05.250000", None),
        ("2026-11-23T20:04:05 01:00", "2026-11-23T19:04:05", None),
        ("2026-11-23t20:04:05z".upper(), "2026-11-23T20:04:05", None),
    ],
)
def test_times_are_the_households_unless_they_say_whose(text: str, since: str, until: str | None) -> None:
    expected = datetime.fromisoformat(since).replace(tzinfo=UTC)
    assert audit_query.read({"since": text}, BERLIN).since == expected
    end = datetime.fromisoformat(until or since).replace(tzinfo=UTC)
    assert audit_query.read({"until": text}, BERLIN).until == end


@pytest.mark.parametrize(
    ("since", "until", "begin", "end"),
    [
        ("2026-03-29T02:30", "2026-03-29T03:10", "2026-03-29T01:00", "2026-03-29T01:10"),  # begins in a skipped hour
        ("2026-03-29T02:10", "2026-03-29T02:50", "2026-03-29T01:00", "2026-03-29T01:00"),  # is a part of one
        ("2026-10-25T02:30", "2026-10-25T02:40", "2026-10-25T00:30", "2026-10-25T01:40"),  # both passes of the hour
        ("2026-10-25T02:00", "2026-10-25T03:00", "2026-10-25T00:00", "2026-10-25T02:00"),
        ("2026-10-25T02:30+01:00", "2026-10-25T02:40", "2026-10-25T01:30", "2026-10-25T01:40"),  # says which pass
        ("2026-10-25", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
    ],
)
def test_hours_that_are_skipped_or_come_twice_belong_to_the_span(since: str, until: str, begin: str, end: str) -> None:
    wanted = audit_query.read({"since": since, "until": until}, BERLIN)
    expected = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (begin, end)]
    assert [wanted.since, wanted.until] == expected


def test_a_day_ends_with_the_first_pass_of_a_midnight_that_comes_twice() -> None:
    wanted = audit_query.read({"until": "2026-10-31"}, ZoneInfo("America/Havana"))
    assert wanted.until == datetime(2026, 11, 1, 4, tzinfo=UTC)


def test_everything_may_be_asked_at_once() -> None:
    query = {"user": "u1", "room": "hall", "device": "hall/lamp", "outcome": "failed", "after": "9"}
    assert audit_query.read(query, BERLIN) == AuditFilter(
        user="u1", room="hall", device="hall/lamp", outcome=Outcome.FAILED
    )
    assert audit_query.read({"room": "hall", "device": "lamp"}, BERLIN).device == "hall/lamp"
    assert audit_query.read(dict.fromkeys(audit_query.FIELDS, ""), BERLIN) == AuditFilter()


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"outcome": "done"}, "outcome: write one of asked, executed"),
        ({"room": "Hall"}, "room: write a room's id, such as hall"),
        ({"room": "hall/lamp"}, "room: write"),
        ({"device": "lamp"}, "device: write room/device, such as hall/lamp"),
        ({"device": "hall/"}, "device: write"),
        ({"device": "hall/lamp/x"}, "device: write"),
        ({"user": "a\0b"}, "user: write a person's id"),
        ({"user": "ü"}, "user: write"),
        ({"user": "x" * 65}, "user: write"),
        ({"since": "yesterday"}, "since: write a day such as 2026-11-23"),
        ({"since": "2026-02-30"}, "since: write"),
        ({"since": "2026-11-23T25:00"}, "since: write"),
        ({"since": "2026-11-23T20:00+24:00"}, "since: write"),
        ({"since": "0001-01-01"}, "since: write"),
        ({"until": "9999-12-31"}, "until: write"),
        ({"until": "٢٠٢٦-11-23"}, "until: write"),
        ({"since": "2026-11-23", "until": "2026-11-22"}, "until: it ends before it begins"),
    ],
)
def test_what_does_not_fit_is_told_with_what_would(query: dict[str, str], told: str) -> None:
    with pytest.raises(HomeError, match=told) as caught:
        audit_query.read(query, BERLIN)
    assert (caught.value.slug, caught.value.status) == ("bad-request", 400)


@given(st.dictionaries(st.sampled_from(audit_query.FIELDS), st.text(max_size=30)))
def test_whatever_comes_is_read_or_refused(query: dict[str, str]) -> None:
    slug = None
    try:
        audit_query.read(query, BERLIN)
    except HomeError as error:
        slug = error.slug
    assert slug in (None, "bad-request")


def test_a_parameter_that_is_none_of_ours_or_comes_twice_is_refused() -> None:
    audit_query.check_names(MultiDict([("user", "a"), ("limit", "1")]), "limit")
    for pairs, told in (([("usr", "a")], "usr: there is no such"), ([("user", "a"), ("user", "b")], "comes twice")):
        with pytest.raises(HomeError, match=told):
            audit_query.check_names(MultiDict(pairs), "limit")


@pytest.mark.parametrize("text", ["0", "201", "x", "-1", "1e2", "", "٣", " 1", "9" * 30])
def test_a_number_is_a_whole_one_in_its_range(text: str) -> None:
    assert audit_query.number({}, "limit", most=200) is None
    assert audit_query.number({"limit": "200"}, "limit", most=200) == 200
    with pytest.raises(HomeError, match="limit: use a whole number from 1 to 200"):
        audit_query.number({"limit": text}, "limit", most=200)
