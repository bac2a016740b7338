"""Axes with numbers that people like, pure: steps of 1, 2, 2.5 and 5 times a power of ten."""

import math
from typing import NamedTuple

from shared.words.languages import Tongue

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


class Scale(NamedTuple):
    """From `low` to `high`, marked every `step`."""

    low: float
    high: float
    step: float

    @property
    def marks(self) -> list[float]:
        """Where it is marked, upwards."""
        count = round((self.high - self.low) / self.step)
        return [self.low + number * self.step for number in range(count + 1)]

    def share(self, value: float) -> float:
        """How far up a value lies: 0 at the foot, 1 at the top."""
        return (value - self.low) / (self.high - self.low)

    def text(self, value: float, spoken: Tongue) -> str:
        """A mark in figures, all of one scale with as many digits."""
        digits = max(0, -math.floor(math.log10(self.step) + 1e-9))
        if digits == 0 and self.step % 1:
            digits = 1
        if digits and round(self.step * 10**digits, 6) % 1:
            digits += 1
        return spoken.number(value, digits=digits)


def around(least: float, greatest: float, *, marks: int, narrowest: float) -> Scale:
    """A scale that holds both values, with about so many marks, and is no narrower than `narrowest`.

    So a tenth of a degree does not look like a heat wave.
    """
    if greatest - least < narrowest:
        middle = (least + greatest) / 2
        least, greatest = middle - narrowest / 2, middle + narrowest / 2
    step = nice((greatest - least) / marks)
    low, high = math.floor(least / step + 1e-9) * step, math.ceil(greatest / step - 1e-9) * step
    return Scale(low, high, step)


def nice(step: float) -> float:
    """The next step that people like, at least `step`."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * one for one in _STEPS if power * one >= step * (1 - 1e-9))


def length(seconds: float, spoken: Tongue) -> str:
    """A length of time as people say it: "45 s", "12 min", "3 h 20 min", "51 h"."""
    if 0 < seconds < 60:
        return spoken.say("{number} s", number=max(1, round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 60:
        return spoken.say("{number} min", number=minutes)
    hours, rest = divmod(minutes, 60)
    if rest and hours < 48:
        return spoken.say("{hours} h {minutes} min", hours=hours, minutes=rest)
    return spoken.say("{number} h", number=hours)
