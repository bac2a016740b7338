"""The drawing: points of a span as paths and boxes of one SVG, pure. What it is painted with stands in charts.css.

A gap is a gap: no line crosses it. It is drawn twice, for narrow and for wide screens, so that its words can be read.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from gateway.charts import scales
from gateway.charts.scales import Scale
from gateway.charts.spans import HOUR, Span
from shared.words.internal_readings import ReadingPoint
from shared.words.languages import later

_WORD_LEFT: Final = 66
_CHANGES: Final = {
    True: (later("clocks set back: one hour twice"), later("one hour twice")),
    False: (later("clocks set forward: one hour left out"), later("one hour left out")),
}
"""By whether they are set back: for wide screens, and for narrow ones."""


class Size(NamedTuple):
    """Of the whole, and the margins around the plot, in units of about a pixel."""

    name: str
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    marks: int


WIDE: Final = Size("broad", 1040, 330, 52, 12, 18, 34, 6)
NARROW: Final = Size("slim", 358, 250, 40, 8, 16, 30, 5)


class Box(NamedTuple):
    """A rectangle, and what a pointer on it is told."""

    x: float
    y: float
    width: float
    height: float
    title: str = ""


class Mark(NamedTuple):
    """A line at `at` (x or y) with words at `place`; `strong` ones stand out."""

    at: float
    place: float
    label: str
    strong: bool
    under: str = ""


class Picture(NamedTuple):
    """All of one drawing."""

    size: Size
    values: tuple[Mark, ...]
    times: tuple[Mark, ...]
    gaps: tuple[Box, ...]
    faults: tuple[Box, ...]
    bars: tuple[Box, ...]
    band: str
    line: str
    dots: tuple[tuple[float, float], ...]
    twice: Box | None
    """The hour that the clocks show a second time."""
    change: Mark | None
    now: float | None
    hits: tuple[Box, ...]
    unit: str


class Shown(NamedTuple):
    """What is to be drawn: `until` is how far things are known at all, `begun` since when, both in seconds."""

    span: Span
    points: Sequence[ReadingPoint]
    measured: bool
    unit: str
    begun: int | None
    until: int
    words: tuple[str, str] = ("off", "on")
    """What an output is called that is off, and on."""


def draw(shown: Shown, size: Size) -> Picture:
    """One drawing."""
    return _Drawing(shown, size).done()


class _Drawing:
    def __init__(self, shown: Shown, size: Size) -> None:
        self.is_narrow = size.name == NARROW.name
        if not shown.measured and max(map(len, shown.words)) > len("off"):
            size = size._replace(left=max(size.left, _WORD_LEFT))  # "unlocked" is longer than any number
        self.shown, self.size, self.span = shown, size, shown.span
        self.spoken = shown.span.spoken
        self.begin, self.end = shown.span.begin, shown.span.end  # the calendar is asked once, not for each point
        self.foot, self.head = size.height - size.bottom, size.top
        self.longest = max(one.seconds for one in shown.points)
        self.scale = self._scale()

    def done(self) -> Picture:
        shown, size = self.shown, self.size
        runs = [list(run) for known, run in groupby(shown.points, lambda p: p.mean is not None) if known]
        runs = runs if shown.measured else []
        return Picture(
            size=size,
            values=tuple(
                Mark(round(self.y(value), 1), size.left - 8, self._value_name(value), value == 0)
                for value in self.scale.marks
            ),
            times=tuple(self._times()),
            gaps=tuple(
                self._boxes(self._is_gap, self.head, self.foot - self.head, self.spoken.say("nothing is known"))
            ),
            faults=tuple(self._boxes(lambda p: p.fault > 0, self.foot - 7, 7, self.spoken.say("fault"))),
            bars=() if shown.measured else tuple(self._bars()),
            band=" ".join(self._band(run) for run in runs),
            line=" ".join(self._line(run) for run in runs if len(run) > 1),
            dots=tuple(self._middle(run[0]) for run in runs if len(run) == 1),
            twice=self._twice(),
            change=self._change(),
            now=round(self.x(shown.until), 1) if shown.until < self.end else None,
            hits=tuple(self._hits()) if not self.is_narrow else (),
            # On a narrow screen what happens to the clocks needs the place.
            unit=""
            if self.is_narrow and self._change() is not None and len(self._unit()) > len("°C")
            else self._unit(),
        )

    def x(self, moment: float) -> float:
        share = (moment - self.begin) / (self.end - self.begin)
        return self.size.left + min(max(share, 0.0), 1.0) * (self.size.width - self.size.left - self.size.right)

    def y(self, value: float) -> float:
        return self.foot - self.scale.share(value) * (self.foot - self.head)

    def _scale(self) -> Scale:
        points = self.shown.points
        if not self.shown.measured:
            longest = self.longest
            if longest <= HOUR:
                return Scale(0.0, 60.0, 20.0) if longest == HOUR else Scale(0.0, 100.0, 25.0)
            if longest <= 25 * HOUR:
                return Scale(0.0, 24.0, 6.0)
            most = max(one.on for one in points) / HOUR
            return scales.around(0.0, max(most, 10.0), marks=4, narrowest=10.0)
        lows = [one.min for one in points if one.min is not None]
        highs = [one.max for one in points if one.max is not None]
        if not lows:
            return Scale(0.0, 30.0, 10.0) if self.shown.unit == "°C" else Scale(0.0, 100.0, 25.0)
        percent = self.shown.unit == "%"
        found = scales.around(min(lows), max(highs), marks=self.size.marks - 1, narrowest=10.0 if percent else 3.0)
        if percent and min(lows) >= 0 and max(highs) <= 100:  # no axis of per cent goes below nothing or above all
            return Scale(max(found.low, 0.0), min(found.high, 100.0), found.step)
        return found

    def _unit(self) -> str:
        if self.shown.measured:
            return self.shown.unit
        longest = self.longest
        if longest < HOUR:
            return ""
        if longest == HOUR:
            return self.spoken.say("minutes in an hour")
        return self.spoken.say("hours in a day") if longest <= 25 * HOUR else self.spoken.say("hours in a month")

    def _value_name(self, value: float) -> str:
        if self.shown.measured or self.longest >= HOUR:
            return self.scale.text(value, self.spoken)
        return {0.0: self.shown.words[0], 100.0: self.shown.words[1]}.get(value, "")

    def _bars(self) -> Iterator[Box]:
        # Those of a day stand side by side: what is alike is one, so that no seam shows.
        close = self.longest < HOUR
        bars = ((self._height(one), one) for one in self.shown.points)
        for (height, _), run in groupby(enumerate(bars), lambda found: (found[1][0], -1 if close else found[0])):
            found = [one for _, (_, one) in run]
            if height <= 0:
                continue
            left, right = self.x(found[0].at), self.x(found[-1].at + found[-1].seconds)
            inset = 0.0 if close else min(3.0, (right - left) * 0.12)
            top = round(self.y(height), 1)
            yield Box(round(left + inset, 1), top, round(right - left - 2 * inset, 1), round(self.foot - top, 1))

    def _height(self, one: ReadingPoint) -> float:
        longest = self.longest
        if longest < HOUR:
            return min(one.on / one.seconds, 1.0) * 100
        if longest == HOUR:
            return min(one.on / 60, 60.0)
        # A day of 25 hours may have 25 of them on, which the axis has no place for.
        return min(one.on / HOUR, self.scale.high)

    def _line(self, run: list[ReadingPoint]) -> str:
        first, *others = (self._middle(one) for one in run)
        return f"M{first[0]} {first[1]}" + "".join(f"L{x} {y}" for x, y in others)

    def _band(self, run: list[ReadingPoint]) -> str:
        upper = [(self._middle(one)[0], round(self.y(one.max), 1)) for one in run if one.max is not None]
        lower = [(self._middle(one)[0], round(self.y(one.min), 1)) for one in run if one.min is not None]
        if len(run) == 1:  # as wide as what it tells of
            (one,) = run
            left, right = round(self.x(one.at), 1), round(self.x(one.at + one.seconds), 1)
            upper, lower = [(left, upper[0][1]), (right, upper[0][1])], [(left, lower[0][1]), (right, lower[0][1])]
        first, *others = [*upper, *reversed(lower)]
        return f"M{first[0]} {first[1]}" + "".join(f"L{x} {y}" for x, y in others) + "Z"

    def _middle(self, one: ReadingPoint) -> tuple[float, float]:
        end = min(one.at + one.seconds, max(self.shown.until, one.at + 1))
        return round(self.x((one.at + end) / 2), 1), round(self.y(one.mean or 0.0), 1)

    def _is_gap(self, one: ReadingPoint) -> bool:
        begun = self.shown.begun
        return (
            one.known == 0 and one.fault == 0 and begun is not None
            and one.at + one.seconds > begun and one.at < self.shown.until
        )  # fmt: skip

    def _boxes(self, wanted: object, y: float, height: float, what: str) -> Iterator[Box]:
        assert callable(wanted)
        for is_wanted, run in groupby(self.shown.points, wanted):
            if is_wanted:
                found = list(run)
                begin, end = found[0].at, min(found[-1].at + found[-1].seconds, self.shown.until)
                left, right = self.x(begin), self.x(end)
                first, last = self.span.point_name(begin), self.span.point_name(end)
                title = self.spoken.say("{what}: {first} to {last}", what=what, first=first, last=last)
                yield Box(round(left, 1), y, round(max(right - left, 1.5), 1), height, title)

    def _times(self) -> Iterator[Mark]:
        taken = float("-inf")
        for tick in self.span.ticks(narrow=self.is_narrow):
            at, place = self.x(tick.at), (self.x(tick.at) + self.x(tick.until)) / 2
            under = tick.under if not self.is_narrow else ""
            width = 7.0 * max(len(tick.label), len(under))
            place = min(max(place, self.size.left), self.size.width - self.size.right - width / 2)
            label = tick.label if place - width / 2 > taken else ""
            taken = place + width / 2 if label else taken
            yield Mark(round(at, 1), round(place, 1), label, tick.strong, under)

    def _twice(self) -> Box | None:
        change = self.span.change()
        if change is None or self.span.hours <= 24:
            return None
        left, right = self.x(change), self.x(change + (self.span.hours - 24) * HOUR)
        return Box(round(left, 1), self.head, round(right - left, 1), self.foot - self.head)

    def _change(self) -> Mark | None:
        change = self.span.change()
        if change is None:
            return None
        back = self.span.hours > 24
        told = _CHANGES[back][self.is_narrow]
        at = self.x(change)
        return Mark(round(at, 1), round(at + 5, 1), self.spoken.say(told), strong=True)

    def _hits(self) -> Iterator[Box]:
        for one in self.shown.points:
            if one.known > 0 and one.at < self.shown.until:
                left, right = self.x(one.at), self.x(one.at + one.seconds)
                yield Box(round(left, 2), self.head, round(right - left, 2), self.foot - self.head, self._says(one))

    def _says(self, one: ReadingPoint) -> str:
        name = self.span.point_name(one.at)
        if not self.shown.measured:
            return f"{name}: {scales.length(one.on, self.spoken)}"
        assert one.mean is not None and one.min is not None and one.max is not None  # noqa: PT018
        low, mean, high = (self.spoken.number(value, digits=1) for value in (one.min, one.mean, one.max))
        text = f"{name}: {mean} {self.shown.unit}"
        return text + self.spoken.say(" ({low} to {high})", low=low, high=high) if one.max - one.min >= 0.1 else text
