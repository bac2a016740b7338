"""Two samples: alike ones are not told apart, and a difference that matters is found."""

import random

import pytest

from tests.bench.apart import compare


def test_alike_samples_are_not_told_apart_and_shifted_ones_are() -> None:
    chance = random.Random(7)
    some = [chance.gauss(100, 5) for _ in range(100)]
    assert not compare(some, [chance.gauss(100, 5) for _ in range(100)]).told
    assert compare(some, [chance.gauss(104, 5) for _ in range(100)]).told


@pytest.mark.parametrize(("some", "others", "longer"), [([3, 4], [1, 2], 1.0), ([1, 2], [3, 4], 0.0), ([1], [1], 0.5)])
def test_how_often_one_is_longer(some: list[float], others: list[float], longer: float) -> None:
    assert compare(some, others).longer == longer


def test_ties_count_half() -> None:
    assert compare([1, 2], [1, 0]).longer == pytest.approx((0.5 + 1 + 1 + 1) / 4)
