"""Sums against a slow reference that looks at every millisecond."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from alert_service.readings import sums
from alert_service.readings.quantities import GAP, Said
from alert_service.readings.sums import Sum
from alert_service.readings.timeline import Row

BORDERS = [2, 3, 5, 6]
words = st.one_of(
    st.just(GAP),
    st.builds(Said, st.floats(-1e6, 1e6)),
    st.just(Said(None, "sensor")),
    st.builds(Said, st.just(1.0), st.just("mismatch")),
)
histories = st.dictionaries(st.integers(0, 7000), words, max_size=12).map(
    lambda found: [Row(at, found[at]) for at in sorted(found)]
)


def slowly(rows: list[Row], start: int, end: int, until: int) -> Sum:
    """Every millisecond by itself."""
    values, on, faulty = [], 0, 0
    for millisecond in range(start * 1000, min(end * 1000, until)):
        before = [row for row in rows if row.at <= millisecond]
        word = before[-1].said if before else GAP
        if word.value is not None:
            values.append(word.value)
            on += word.value > 0
        faulty += word.fault is not None
    fresh = sum(start * 1000 <= row.at < min(end * 1000, until) and row.said.value is not None for row in rows)
    mean = math.fsum(values) / len(values) if values else None
    low, high = (min(values), max(values)) if values else (None, None)
    return Sum(start, low, high, mean, len(values) / 1000, on / 1000, faulty / 1000, fresh)


def alike(found: Sum, wanted: Sum) -> bool:
    return all(
        mine == theirs
        or (mine is not None and theirs is not None and math.isclose(mine, theirs, rel_tol=1e-9, abs_tol=1e-6))
        for mine, theirs in zip(found, wanted, strict=True)
    )


@given(histories, st.integers(0, 8000))
def test_rows_are_summed_up_as_one_would_by_hand(rows: list[Row], until: int) -> None:
    found = sums.of_rows(rows, BORDERS, until)
    for one, (start, end) in zip(found, pairwise(BORDERS), strict=True):
        assert alike(one, slowly(rows, start, end, until)), (one, slowly(rows, start, end, until))


@given(histories)
def test_sums_of_sums_are_the_sums_of_the_whole(rows: list[Row]) -> None:
    whole = sums.of_rows(rows, [2, 6], 9000)
    parts = sums.of_rows(rows, [2, 3, 4, 5, 6], 9000)
    (joined,) = sums.merged(parts, [2, 6])
    assert alike(joined, whole[0])


@given(histories)
def test_a_mean_lies_between_the_least_and_the_greatest(rows: list[Row]) -> None:
    for one in sums.merged(sums.of_rows(rows, [0, 1, 2, 3, 4, 5, 6, 7], 9000), [0, 7]):
        if one.known:
            assert (one.low or 0.0) <= (one.mean or 0.0) <= (one.high or 0.0)


def test_what_nobody_said_is_empty() -> None:
    assert all(sums.is_empty(one) for one in sums.of_rows([], BORDERS, 9000))
    assert sums.merged([Sum(99, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1)], BORDERS) == sums.of_rows([], BORDERS, 9000)
