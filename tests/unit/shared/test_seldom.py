"""What is repeated at will is said seldom, and never kept quiet for longer than that."""

from shared.seldom import Seldom


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
