"""Spans say what a plain set of numbers says."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from alert_service.spans import Spans

SPAN = st.tuples(st.integers(0, 60), st.integers(0, 8)).map(lambda drawn: (drawn[0], drawn[0] + drawn[1]))


@given(st.lists(SPAN, max_size=30))
def test_they_are_a_set_of_numbers(added: list[tuple[int, int]]) -> None:
    spans, numbers = Spans(), set[int]()
    for first, last in added:
        spans.add(first, last)
        numbers |= set(range(first, last + 1))
        found = list(spans)
        assert {n for first, last in found for n in range(first, last + 1)} == numbers
        assert all(last + 1 < first for (_, last), (first, _) in itertools.pairwise(found)), "none touch"
        assert all((n in spans) == (n in numbers) for n in range(-1, 72))
        assert spans.last == max(numbers)
        between = set(range(min(numbers), max(numbers))) - numbers
        assert {n for first, last in spans.gaps() for n in range(first, last + 1)} == between
        assert len(spans) == len(spans.gaps()) + 1 == len(found)
        if len(spans) > 1:
            assert spans.lowest_gap() == spans.gaps()[0]


def test_nothing_is_in_none() -> None:
    assert (list(Spans()), Spans().gaps(), Spans().last, 5 in Spans(), len(Spans())) == ([], [], 0, False, 0)
