"""What is drawn: gaps are gaps, faults are marked, nothing leaves the plot, and the future is blank."""

import re
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.charts import lines, picture, spans
from gateway.charts.picture import NARROW, WIDE, Shown
from shared.words.internal_readings import ReadingPoint

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=ZoneInfo("Europe/Berlin"))


def point(at: int, end: int, value: float | None = 20.0, *, fault: float = 0.0, on: float = 0.0) -> ReadingPoint:
    known = 0.0 if value is None else end - at - fault
    high = None if value is None else value + 0.5
    return ReadingPoint(
        at=at, seconds=end - at, known=known, fault=fault, on=on, count=1, min=value, max=high, mean=value
    )


def shown(
    name: str = "day", at: str = "2026-10-25", *, measured: bool = True, gap: range = range(0), fault: range = range(0)
) -> Shown:
    span = spans.span(name, at, NOW)
    borders = span.points(measured=measured)
    points = [
        point(begin, end, None if number in gap or number in fault else 20.0 + number % 3,
              fault=float(end - begin) if number in fault else 0.0, on=(end - begin) / 2)
        for number, (begin, end) in enumerate(pairwise(borders))
    ]  # fmt: skip
    return Shown(span, points, measured, "°C", span.begin, span.end)


def test_no_line_crosses_a_gap_or_a_fault() -> None:
    drawn = picture.draw(shown(gap=range(10, 20), fault=range(30, 40)), WIDE)
    assert drawn.line.count("M") == 3
    assert len(drawn.gaps) == len(drawn.faults) == 1
    assert "nothing is known: 00:50 to 01:40" in drawn.gaps[0].title
    assert "fault: 02:30 CEST to 02:20 CET" in drawn.faults[0].title


def test_a_single_point_between_gaps_is_seen() -> None:
    drawn = picture.draw(shown(gap=range(1, 300)), NARROW)
    assert len(drawn.dots) == 1
    assert drawn.line == ""


def test_a_day_whose_clocks_change_says_so() -> None:
    autumn, spring = picture.draw(shown(), WIDE), picture.draw(shown(at="2026-03-29"), WIDE)
    assert autumn.twice is not None
    assert autumn.change is not None
    assert "twice" in autumn.change.label
    assert spring.twice is None
    assert spring.change is not None
    assert "left out" in spring.change.label


def test_what_has_not_been_is_neither_line_nor_gap() -> None:
    span = spans.span("day", None, NOW)
    until = int(NOW.timestamp())
    points = [point(at, at + 300, 20.0 if at < until else None) for at in range(span.begin, span.end, 300)]
    drawn = picture.draw(Shown(span, points, measured=True, unit="°C", begun=span.begin, until=until), WIDE)
    assert drawn.gaps == ()
    assert drawn.now is not None


def test_before_the_first_reading_there_is_no_gap() -> None:
    made = shown(gap=range(100))
    drawn = picture.draw(made._replace(begun=made.span.begin + 100 * 300), WIDE)
    assert drawn.gaps == ()


def test_bars_of_a_day_that_are_alike_are_one() -> None:
    assert len(picture.draw(shown(measured=False), WIDE).bars) == 1
    assert len(picture.draw(shown("month", measured=False), WIDE).bars) == 31


cases = st.tuples(
    st.sampled_from(spans.NAMES),
    st.dates(),
    st.booleans(),
    st.lists(st.one_of(st.none(), st.floats(-300, 300)), min_size=1),
)


@given(cases, st.sampled_from([WIDE, NARROW]))
def test_nothing_leaves_the_drawing(case: tuple[str, object, bool, list[float | None]], size: picture.Size) -> None:
    name, _, measured, values = case
    span = spans.span(name, "2026-10-25", NOW)
    borders = span.points(measured=measured)
    points = [
        point(begin, end, values[number % len(values)], on=float(number % 2 * (end - begin)))
        for number, (begin, end) in enumerate(pairwise(borders))
    ]
    drawn = picture.draw(Shown(span, points, measured, "°C", span.begin, span.end), size)
    for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", f"{drawn.line} {drawn.band}"):
        assert size.left - 0.1 <= float(x) <= size.width - size.right + 0.1
        assert size.top - 0.1 <= float(y) <= size.height - size.bottom + 0.1
    for box in (*drawn.bars, *drawn.gaps, *drawn.faults, *drawn.hits):
        assert box.width >= 0
        assert box.height >= 0
        assert box.x >= size.left - 0.1
        assert box.y >= size.top - 0.1


def test_the_table_says_what_is_missing_and_why() -> None:
    made = lines.table(shown(gap=range(12), fault=range(24, 30)))
    assert made[0] == lines.Line("00:00", ("–", "–", "–"), "nothing known for 1 h")
    assert made[2].name == "02:00 CEST"
    assert made[2].note == "fault for 30 min"
    assert made[3] == lines.Line("02:00 CET", ("20.0", "21.0", "22.5"), "")
    assert len(made) == 25


def test_a_summary_weighs_by_time() -> None:
    found = lines.total([point(0, 100, 10.0), point(100, 400, 20.0), point(400, 500, None)])
    assert found.mean == pytest.approx(17.5)
    assert (found.low, found.low_at, found.high, found.high_at) == (10.0, 0, 20.5, 100)
    assert (found.known, found.seconds) == (400, 500)
