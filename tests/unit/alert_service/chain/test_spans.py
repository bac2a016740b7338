"""Spans say what a plain set of numbers says."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert_service.chain.spans import Spans, read_spans, write_spans

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


@pytest.mark.parametrize("text", ["", "x", "1", "1-", "-1", "5-4", "1-2,3-4", "None-None", f"1-{10**17}"])
def test_what_is_no_span_is_none(text: str) -> None:
    assert read_spans(text) == []


@given(st.lists(st.tuples(st.integers(0, 2**53), st.integers(0, 2**53)).map(lambda x: (min(x), max(x))), max_size=5))
def test_spans_are_read_as_they_were_written(spans: list[tuple[int, int]]) -> None:
    assert read_spans(write_spans(spans)) == spans
    assert len(write_spans(spans)) <= 200
