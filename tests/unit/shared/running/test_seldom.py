"""What is repeated at will is said seldom, and never kept quiet for longer than that."""

from hypothesis import given
from hypothesis import strategies as st

from shared.running.seldom import Seldom, Sums


def test_a_thing_is_said_once_within_its_time() -> None:
    seldom = Seldom(60.0, most=10)
    assert seldom.is_due("a", 0.0)
    seldom.said("a", 0.0)
    assert not seldom.is_due("a", 59.9)
    assert seldom.is_due("b", 59.9)
    assert seldom.is_due("a", 60.0)


def test_what_was_not_said_stays_due() -> None:
    seldom = Seldom(60.0, most=10)
    assert seldom.is_due("a", 0.0)
    assert seldom.is_due("a", 0.0)


def test_a_clock_that_was_set_back_silences_nothing() -> None:
    seldom = Seldom(60.0, most=10)
    seldom.said("a", 1000.0)
    assert seldom.is_due("a", 10.0)


def test_only_the_last_keys_are_remembered() -> None:
    seldom = Seldom(60.0, most=2)
    for key in "abc":
        seldom.said(key, 0.0)
    assert [seldom.is_due(key, 1.0) for key in "abc"] == [True, False, False]


# --- sums ------------------------------------------------------------------------------------------------------


def test_the_first_are_said_and_the_rest_are_a_number() -> None:
    sums: Sums[str] = Sums(60, keys=10)
    assert [sums.is_said("a", 0.0, most=3) for _ in range(10)] == [True] * 3 + [False] * 7
    assert sums.is_said("b", 1.0, most=3)
    assert sums.take(59.9) == []
    assert sums.take(60.0) == [("a", 7)]
    assert sums.take(200.0) == []
    assert sums.is_said("a", 60.0, most=3)


def test_at_the_end_every_sum_is_told() -> None:
    sums: Sums[str] = Sums(60, keys=10)
    for key in "abab":
        sums.is_said(key, 0.0, most=1)
    assert sums.take(1.0, everything=True) == [("a", 1), ("b", 1)]


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(-70, 70)), max_size=200),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_nothing_is_lost_whatever_the_clock_does(steps: list[tuple[str, float]], most: int, keys: int) -> None:
    sums, now, said, told = Sums[str](60, keys=keys), 0.0, 0, 0
    for key, seconds in steps:
        now += seconds
        told += sum(count for _, count in sums.take(now))
        said += sums.is_said(key, now, most=most)
    assert said + told + sum(count for _, count in sums.take(now, everything=True)) == len(steps)
