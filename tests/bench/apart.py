"""Whether two samples of times can be told apart, pure: how often one of either is the longer (Mann and Whitney's U).

Medians alone would miss a difference in the tails, and means would find one in a single slow answer.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

SURE: float = 4.0
"""Standard errors; by chance one comparison of fifteen thousand is further off. A run has some twenty."""


class Apart(NamedTuple):
    """How often a time of the one sample is longer than one of the other, in [0, 1], and how sure that is no chance."""

    longer: float
    errors: float

    @property
    def told(self) -> bool:
        """Whether they can be told apart."""
        return abs(self.errors) >= SURE

    def __str__(self) -> str:
        return f"{100 * self.longer:.0f} % longer, {self.errors:+.1f} σ"


def compare(some: Sequence[float], others: Sequence[float]) -> Apart:
    """Of `some` against `others`, neither of them empty."""
    ranked = sorted([(value, True) for value in some] + [(value, False) for value in others])
    total, begin = 0.0, 0
    while begin < len(ranked):
        end = begin
        while end < len(ranked) and ranked[end][0] == ranked[begin][0]:
            end += 1
        rank = (begin + 1 + end) / 2  # of equal values: the middle of their places
        total += rank * sum(is_some for _, is_some in ranked[begin:end])
        begin = end
    pairs = len(some) * len(others)
    longer = (total - len(some) * (len(some) + 1) / 2) / pairs
    error = math.sqrt((len(some) + len(others) + 1) / (12 * pairs))
    return Apart(longer, (longer - 0.5) / error)
