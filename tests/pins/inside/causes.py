"""What may move an output, and which edges nothing of it explains: each cause explains one edge, within its time."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from tests.pins.inside.tape import Edge


class Cause(msgspec.Struct, eq=False):
    """Somebody or something had `pin` become `level` (1 is high), between `since` and `until` (monotonic seconds).

    `must`: without its edge something is missing.
    """

    what: str
    pin: int
    level: int
    since: float
    until: float = math.inf
    must: bool = False


class Verdict(NamedTuple):
    """What does not fit."""

    unexplained: list[Edge]
    missing: list[Cause]


def explained(edges: Iterable[Edge], causes: Iterable[Cause]) -> Verdict:
    """Give each edge one of its causes, those that must have one first, then what ends first; none is given twice."""
    left = sorted(causes, key=lambda cause: (not cause.must, cause.until, cause.since))
    unexplained = []
    for edge in edges:
        fits = (c for c in left if (c.pin, c.level) == (edge.pin, edge.level) and c.since <= edge.at <= c.until)
        if (cause := next(fits, None)) is None:
            unexplained.append(edge)
        else:
            left.remove(cause)
    return Verdict(unexplained, [cause for cause in left if cause.must])
