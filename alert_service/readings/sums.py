"""Rows that hold until the next one, summed up between borders, and sums of sums, pure. Borders: seconds since 1970."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from alert_service.readings.timeline import Row

FIVE_MINUTES, HOUR = 300, 3600


class Sum(NamedTuple):
    """What was so from `start` on, up to the next border: seconds with a value, with a fault, and on (above 0).

    `low`, `high` and `mean` (by time) are of what was known; `fresh` is how many values came new.
    """

    start: int
    low: float | None
    high: float | None
    mean: float | None
    known: float
    on: float
    faulty: float
    fresh: int


class _Growing:
    __slots__ = ("area", "faulty", "fresh", "high", "known", "low", "on")

    def __init__(self) -> None:
        self.low: float | None = None
        self.high: float | None = None
        self.area = self.known = self.on = self.faulty = 0.0
        self.fresh = 0

    def add(self, low: float, high: float, mean: float, known: float, on: float) -> None:
        self.low = low if self.low is None or low < self.low else self.low
        self.high = high if self.high is None or high > self.high else self.high
        self.area += mean * known
        self.known += known
        self.on += on

    def done(self, start: int) -> Sum:
        mean = None
        if self.known > 0 and self.low is not None and self.high is not None:
            mean = min(max(self.area / self.known, self.low), self.high)  # a sum of parts may be off in its last digit
        return Sum(start, self.low, self.high, mean, self.known, self.on, self.faulty, self.fresh)


def of_rows(rows: Sequence[Row], borders: Sequence[int], until: int) -> list[Sum]:
    """One sum for each two borders, in order, of what holds between them and before `until` (milliseconds).

    `rows` go upwards; the first one may lie before the first border. Where nothing is known a sum has no seconds.
    """
    growing = [_Growing() for _ in borders[1:]]
    edges = [border * 1000 for border in borders]
    end_of_all = min(until, edges[-1])
    for number, row in enumerate(rows):
        end = min(rows[number + 1].at if number + 1 < len(rows) else end_of_all, end_of_all)
        value, fault = row.said
        if value is None and fault is None:
            continue
        begin = max(row.at, edges[0])
        place = bisect_right(edges, begin) - 1
        if value is not None and edges[0] <= row.at < end_of_all:
            growing[bisect_right(edges, row.at) - 1].fresh += 1
        while begin < end:
            stop = min(end, edges[place + 1])
            seconds = (stop - begin) / 1000
            if value is not None:
                growing[place].add(value, value, value, seconds, seconds if value > 0 else 0.0)
            if fault is not None:
                growing[place].faulty += seconds
            begin, place = stop, place + 1
    return [one.done(start) for one, start in zip(growing, borders, strict=False)]


def merged(parts: Iterable[Sum], borders: Sequence[int]) -> list[Sum]:
    """Sums joined into larger ones: each belongs to where it starts. What starts outside of all is left out."""
    growing = [_Growing() for _ in borders[1:]]
    for part in parts:
        place = bisect_right(borders, part.start) - 1
        if not 0 <= place < len(growing):
            continue
        into = growing[place]
        if part.low is not None and part.high is not None and part.mean is not None:
            into.add(part.low, part.high, part.mean, part.known, part.on)
        into.faulty += part.faulty
        into.fresh += part.fresh
    return [one.done(start) for one, start in zip(growing, borders, strict=False)]


def is_empty(one: Sum) -> bool:
    """Whether there is nothing to be kept: a gap."""
    return one.known == 0 and one.faulty == 0


def floor(moment: int, step: int) -> int:
    """The border at or before a moment, both in seconds."""
    return moment - moment % step
