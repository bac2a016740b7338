"""Waiting grows, is bounded, and is never the same for everyone."""

from hypothesis import given
from hypothesis import strategies as st

from shared.running import backoff


@given(st.integers(0, 10_000), st.floats(0.01, 10), st.floats(10, 1000))
def test_a_wait_is_between_half_and_all_of_the_doubled_one(attempt: int, first: float, most: float) -> None:
    top = min(most, first * 2.0 ** min(attempt, 30))
    assert top / 2 <= backoff.delay(attempt, first=first, most=most) <= top


def test_waits_are_spread() -> None:
    assert len({backoff.delay(3) for _ in range(50)}) > 40


def test_the_first_retry_is_soon_and_the_last_not_late() -> None:
    assert backoff.delay(0) <= 0.1
    assert backoff.delay(1_000_000) <= 5.0
