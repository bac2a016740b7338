"""Into which points an answer is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert_service.readings import grid
from alert_service.readings.book import Kept
from shared.words.internal_readings import MOST_POINTS, ReadingsQuery
from shared.words.names import Kind
from shared.words.problem import HomeError

NOW = 1_800_000_000
DAY = 86_400


def query(since: int, until: int, step: int | None = None) -> ReadingsQuery:
    return ReadingsQuery(room="hall", device="air", kind=Kind.TEMPERATURE, since=since, until=until, step=step)


@pytest.mark.parametrize(
    ("back", "asked", "given_"),
    [
        (1, 7, 7),
        (1, 60, 60),
        (1, 301, 600),
        (1, 1234, 1500),
        (20, 7, 300),
        (20, 5000, 5100),
        (200, 7, 3600),
        (200, 5000, 7200),
        (1, 7200, 7200),
    ],
)
def test_a_step_that_is_not_kept_becomes_the_next_longer_one_that_is(back: int, asked: int, given_: int) -> None:
    step, borders = grid.borders(query(NOW - back * DAY, NOW - back * DAY + 3600, asked), NOW, Kept())
    assert step == given_
    assert all(later - earlier == step for earlier, later in pairwise(borders))


@given(st.integers(0, NOW), st.integers(1, 4000 * DAY))
def test_a_step_that_is_left_out_is_chosen_within_bounds(since: int, span: int) -> None:
    step, borders = grid.borders(query(since, since + span), NOW, Kept())
    assert 2 <= len(borders) <= MOST_POINTS + 1
    assert borders[0] <= since
    assert borders[-1] >= since + span
    assert step >= grid.finest(since, NOW, Kept())


@given(st.integers(0, NOW), st.integers(1, 4000 * DAY), st.integers(1, 40 * DAY))
def test_what_a_refusal_says_would_be_right_is_right(since: int, span: int, step: int) -> None:
    try:
        grid.borders(query(since, since + span, step), NOW, Kept())
    except HomeError as refused:
        right = int(refused.detail.partition("step=")[2].split()[0])
        grid.borders(query(since, since + span, right), NOW, Kept())


@given(st.lists(st.integers(0, 10**6), min_size=2, unique=True).map(sorted), st.sampled_from([1, 300, 3600]))
def test_borders_that_are_too_fine_are_thinned_between_the_same_ends(edges: list[int], length: int) -> None:
    found = grid.coarser(edges, length)
    assert (found[0], found[-1]) == (edges[0], edges[-1])
    assert set(found) <= set(edges)
    assert all(later - earlier >= length for earlier, later in pairwise(found)) or len(found) == 2
