"""Failed sign-ins become few events, and none is lost from the sums."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from auth_service.confirming.regulation import BURST, WINDOW, Failures
from shared.words.names import Severity
from tests.unit.auth_service.parts import START


def test_first_failure_is_told_at_once_as_information() -> None:
    (report,) = Failures().note("user/1", START)
    assert (report.key, report.count, report.severity) == ("user/1", 1, Severity.INFO)


def test_burst_is_one_security_event_and_the_rest_a_sum() -> None:
    failures = Failures()
    reports = [r for i in range(100) for r in failures.note("user/1", START + timedelta(seconds=i))]
    assert [(r.count, r.severity) for r in reports] == [(1, Severity.INFO), (BURST, Severity.SECURITY)]
    (last,) = failures.sweep(START + WINDOW)
    assert (last.count, last.severity) == (100, Severity.INFO)
    assert failures.sweep(START + WINDOW * 2) == []


def test_new_window_begins_anew() -> None:
    failures = Failures()
    failures.note("user/1", START)
    (report,) = failures.note("user/1", START + WINDOW)
    assert report.count == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 900)), max_size=60))
def test_told_sums_account_for_every_failure(tries: list[tuple[str, int]]) -> None:
    failures, now, told = Failures(), START, {}
    for key, seconds in tries:
        now += timedelta(seconds=seconds)
        for report in failures.note(key, now):
            told[report.key, report.since] = report.count
    for report in failures.sweep(now + WINDOW):
        told[report.key, report.since] = report.count
    assert sum(told.values()) == len(tries)


def test_keys_are_bounded_and_the_oldest_is_summed_up_first() -> None:
    failures = Failures()
    failures.note("address/0", START)
    failures.note("address/0", START)
    for i in range(1, 1000):
        failures.note(f"address/{i}", START)
    reports = failures.note("address/1000", START)
    assert [(r.key, r.count) for r in reports] == [("address/0", 2), ("address/1000", 1)]
