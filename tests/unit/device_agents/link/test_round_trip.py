"""A link is slow until it has shown itself quick, and again as soon as it keeps us waiting."""

from device_agents.link.round_trip import SLOW_SECONDS, RoundTrip


def test_a_link_is_slow_until_it_was_measured() -> None:
    trip = RoundTrip()
    assert trip.is_slow(0.0)
    trip.sent(1, 10.0)
    assert trip.is_slow(10.1)
    trip.confirmed(1, 10.2)
    assert not trip.is_slow(10.2)
    assert not trip.is_slow(1000.0)


def test_a_slow_answer_makes_it_slow_until_a_quick_one() -> None:
    trip = RoundTrip()
    trip.sent(1, 0.0)
    trip.confirmed(1, SLOW_SECONDS + 0.1)
    assert trip.is_slow(SLOW_SECONDS + 0.1)
    trip.sent(2, 10.0)
    trip.confirmed(2, 10.01)
    assert not trip.is_slow(10.01)


def test_an_answer_that_does_not_come_makes_it_slow_however_quick_later_ones_are() -> None:
    trip = RoundTrip()
    for mid, at in ((1, 0.0), (2, 5.0)):
        trip.sent(mid, at)
    trip.confirmed(2, 5.01)
    assert trip.is_slow(5.01)
    trip.confirmed(1, 5.02)
    assert trip.is_slow(5.02), "the last word was five seconds under way"


def test_words_on_what_was_never_sent_measure_nothing() -> None:
    trip = RoundTrip()
    trip.confirmed(7, 1.0)
    assert trip.is_slow(1.0)
