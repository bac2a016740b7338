"""Ratios round by round, and what they come to."""

import math

import pytest

from tests.bench.verdicts import Figure, Target, shown


def test_a_ratio_is_of_the_same_round_and_counts_by_its_median() -> None:
    figure = Figure("cpu", "ms", here=[1.0, 4.0, 9.0], there=[2.0, 4.0, 3.0], target=Target(ratio_most=1.0))
    assert figure.ratios() == [0.5, 1.0, 3.0]
    assert figure.verdict() == "met"


@pytest.mark.parametrize(
    ("target", "here", "verdict"),
    [
        (Target(ratio_most=0.5), 5.0, "met"),
        (Target(ratio_most=0.5), 5.1, "not met"),
        (Target(ratio_least=1.95, ratio_on_the_way=1.7), 19.5, "met"),
        (Target(ratio_least=1.95, ratio_on_the_way=1.7), 17.0, "on the way"),
        (Target(ratio_least=1.95, ratio_on_the_way=1.7), 16.9, "not met"),
        (Target(ratio_least=1.95), 19.4, "not met"),
        (Target(here_most=26.0), 26.0, "met"),
        (Target(here_most=26.0), 26.1, "not met"),
        (Target(not_more=True), 10.0, "met"),
        (Target(not_more=True), 10.1, "not met"),
        (None, 10.0, ""),
    ],
)
def test_a_target_is_met_at_its_edge_and_not_past_it(target: Target | None, here: float, verdict: str) -> None:
    assert Figure("figure", "ms", [here], [10.0], target).verdict() == verdict


def test_not_more_is_of_the_same_round() -> None:
    figure = Figure("extra", "ms", here=[5.0, 6.0, 9.0], there=[5.5, 6.5, 5.9], target=Target(not_more=True))
    assert figure.verdict() == "met"
    assert figure._replace(here=[5.6, 6.6, 5.0]).verdict() == "not met"


def test_what_has_no_other_side_meets_only_what_is_asked_of_here_alone() -> None:
    assert Figure("weight", "MB", [20.0], target=Target(here_most=26.0)).verdict() == "met"
    for target in (Target(ratio_most=0.5), Target(ratio_least=1.95), Target(not_more=True)):
        with pytest.raises(ValueError, match="nothing to compare with"):
            Figure("weight", "MB", [20.0], target=target).verdict()


def test_a_ratio_to_nothing_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="nothing to divide by"):
        Figure("cpu", "ms", [1.0, 1.0], [1.0, 0.0], Target(ratio_most=0.5)).verdict()


def test_sides_with_unequal_rounds_are_no_figure() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Figure("cpu", "ms", [1.0, 1.0], [1.0]).ratios()


@pytest.mark.parametrize(
    ("value", "text"), [(0.4567, "0.457 ms"), (1.234, "1.23 ms"), (23.45, "23.4 ms"), (1433.4, "1,433 ms")]
)
def test_a_value_is_shown_with_what_it_says(value: float, text: str) -> None:
    assert shown([value], "ms") == text


def test_what_never_came_is_called_so_and_meets_nothing() -> None:
    figure = Figure("known", "s", [math.inf, math.inf, 4.0], target=Target(here_most=5.0))
    assert (shown(figure.here, "s"), figure.verdict()) == ("never", "not met")
