"""What a chart says in words and figures, pure: its summary, and the lines of the table behind it."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from gateway.charts import scales
from gateway.charts.picture import Shown
from shared.words.internal_readings import ReadingPoint

_MISSING_SECONDS = 60.0
"""Less than that is no gap worth a word."""


class Total(NamedTuple):
    """Points joined. `low_at` and `high_at` are when the least and the greatest were measured."""

    low: float | None
    high: float | None
    mean: float | None
    low_at: int
    high_at: int
    on: float
    known: float
    fault: float
    seconds: float


class Line(NamedTuple):
    """One line of the table: its name, its figures, and what is missing in words."""

    name: str
    figures: tuple[str, ...]
    note: str


def total(points: Sequence[ReadingPoint]) -> Total:
    """Of all of them."""
    known = [one for one in points if one.mean is not None]
    seconds = sum(one.known for one in known)
    low, low_at = min(((one.min, one.at) for one in known if one.min is not None), default=(None, 0))
    high, high_at = max(((one.max, -one.at) for one in known if one.max is not None), default=(None, 0))
    return Total(
        low=low,
        high=high,
        mean=sum((one.mean or 0.0) * one.known for one in known) / seconds if seconds else None,
        low_at=low_at,
        high_at=-high_at,
        on=sum(one.on for one in points),
        known=sum(one.known for one in points),
        fault=sum(one.fault for one in points),
        seconds=float(sum(one.seconds for one in points)),
    )


def table(shown: Shown) -> list[Line]:
    """Its lines: hours of a day, days of a week or month, months of a year; none of what has not begun."""
    borders = shown.span.rows()
    groups: list[list[ReadingPoint]] = [[] for _ in borders[1:]]
    for one in shown.points:
        groups[min(max(bisect_right(borders, one.at) - 1, 0), len(groups) - 1)].append(one)
    lines = []
    for begin, end, points in zip(borders, borders[1:], groups, strict=False):
        if begin >= shown.until:
            break
        found = total(points)
        name = shown.span.row_name(begin)
        lines.append(Line(name, _figures(shown, found), _note(shown, found, begin, end)))
    return lines


def _figures(shown: Shown, found: Total) -> tuple[str, ...]:
    spoken = shown.span.spoken
    if not shown.measured:
        return (scales.length(found.on, spoken) if found.known else "–",)
    figures = (found.low, found.mean, found.high)
    return tuple("–" if value is None else spoken.number(value, digits=1) for value in figures)


def _note(shown: Shown, found: Total, begin: int, end: int) -> str:
    told, spoken = [], shown.span.spoken
    if found.fault >= 1:
        told.append(spoken.say("fault for {length}", length=scales.length(found.fault, spoken)))
    since = max(begin, begin if shown.begun is None else shown.begun)
    missing = min(end, shown.until) - since - found.known - (found.fault if shown.measured else 0.0)
    if shown.begun is not None and missing >= _MISSING_SECONDS:
        told.append(spoken.say("nothing known for {length}", length=scales.length(missing, spoken)))
    return ", ".join(told)
