"""What two sides' figures come to: the ratio in each round, its median and range, and whether a target is met."""

import math
import operator
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from rich.table import Table


class Target(NamedTuple):
    """What is asked of a figure; exactly one is given.

    `ratio_most`, `ratio_least`: of here to there, where past `ratio_on_the_way` counts as on the way. `here_most`: of
    here alone, in its unit. `not_more`: here is to be no more than there, round by round.
    """

    ratio_most: float | None = None
    ratio_least: float | None = None
    ratio_on_the_way: float | None = None
    here_most: float | None = None
    not_more: bool = False

    def __str__(self) -> str:
        if self.ratio_most is not None:
            return f"≤ {self.ratio_most:g} ×"
        if self.ratio_least is not None:
            return f"≥ {self.ratio_least:g} ×"
        return f"≤ {self.here_most:g}" if self.here_most is not None else "not more"


class Figure(NamedTuple):
    """One line of the table: what was measured here and there, a value a round in `unit`, and what is asked of it.

    `there` is empty where there is no other side.
    """

    name: str
    unit: str
    here: Sequence[float]
    there: Sequence[float] = ()
    target: Target | None = None

    def ratios(self) -> list[float]:
        """Here to there, round by round; none where there is nothing to divide by."""
        if not self.there or not all(value > 0 for value in self.there):
            return []
        return [here / there for here, there in zip(self.here, self.there, strict=True)]

    def verdict(self) -> str:
        """`met`, `on the way`, `not met`; nothing where nothing is asked. Raises ValueError where it cannot be told."""
        target, here = self.target, statistics.median(self.here)
        if target is None:
            return ""
        if target.here_most is not None:
            return _met(here <= target.here_most)
        if not self.there:
            raise ValueError(f"{self.name}: nothing to compare with")
        if target.not_more:
            return _met(statistics.median(map(operator.sub, self.here, self.there)) <= 0)
        ratios = self.ratios()
        if not ratios:
            raise ValueError(f"{self.name}: nothing to divide by in {list(self.there)}")
        ratio = statistics.median(ratios)
        if target.ratio_most is not None:
            return _met(ratio <= target.ratio_most)
        assert target.ratio_least is not None
        if target.ratio_on_the_way is not None and target.ratio_on_the_way <= ratio < target.ratio_least:
            return "on the way"
        return _met(ratio >= target.ratio_least)


def table(title: str, there: str, figures: Sequence[Figure]) -> Table:
    """All figures, a line each: the medians, and how far the rounds lie apart. `there` names the other side, if any."""
    beside = (there, "here", "ratio (min–max)") if there else ("here",)
    made = Table("figure", *beside, "target", "", title=title, title_justify="left")
    for figure in figures:
        ratios = figure.ratios()
        spread = f"{statistics.median(ratios):.2f} × ({min(ratios):.2f}–{max(ratios):.2f})" if ratios else ""
        here = shown(figure.here, figure.unit)
        cells = (shown(figure.there, figure.unit), here, spread) if there else (here,)
        made.add_row(figure.name, *cells, str(figure.target) if figure.target else "", figure.verdict())
    return made


def shown(values: Sequence[float], unit: str) -> str:
    """A median with three figures that say something, and its unit."""
    if not values:
        return ""
    value = statistics.median(values)
    if math.isinf(value):
        return "never"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f} {unit}"


def _met(is_met: bool) -> str:
    return "met" if is_met else "not met"
