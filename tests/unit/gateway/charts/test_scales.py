"""Axes that people like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.charts import scales
from shared.words.languages import tongue

values = st.floats(-1e4, 1e4)


@given(values, values, st.integers(2, 8))
def test_a_scale_holds_its_values_with_few_round_marks(one: float, other: float, marks: int) -> None:
    scale = scales.around(min(one, other), max(one, other), marks=marks, narrowest=3.0)
    near = scale.step * 1e-6
    assert scale.low - near <= min(one, other) <= max(one, other) <= scale.high + near
    assert 2 <= len(scale.marks) <= marks + 3
    texts = [scale.text(mark, tongue()) for mark in scale.marks]
    assert len(set(texts)) == len(texts)
    assert -1e-6 <= scale.share(one) <= 1 + 1e-6


def test_marks_are_numbers_that_people_write() -> None:
    scale = scales.around(16.9, 20.4, marks=5, narrowest=3.0)
    assert [scale.text(mark, tongue()) for mark in scale.marks] == ["16", "17", "18", "19", "20", "21"]
    fine = scales.around(-0.7, 0.6, marks=5, narrowest=1.0)
    assert [fine.text(mark, tongue()) for mark in fine.marks] == ["−1.0", "−0.5", "0.0", "0.5", "1.0"]
    quarters = scales.around(0, 12, marks=5, narrowest=1.0)
    assert [quarters.text(mark, tongue()) for mark in quarters.marks] == ["0.0", "2.5", "5.0", "7.5", "10.0", "12.5"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 min"),
        (0.2, "1 s"),
        (45, "45 s"),
        (90, "2 min"),
        (3600, "1 h"),
        (12_000, "3 h 20 min"),
        (540_000, "150 h"),
    ],
)
def test_lengths_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert scales.length(seconds, tongue()) == text


def test_a_minus_is_one_and_nothing_is_not_negative() -> None:
    assert tongue().number(-3.25, digits=1) == "−3.2"
    assert tongue().number(-0.01, digits=1) == "0.0"
