"""Which letters leave alone and which are gathered, pure: one source's flood never hides another's letter."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

WINDOW_SECONDS = 600.0
"""Letters that left alone within this time count against their source."""
FIRST_SECONDS = 30.0
"""How long a source's first digest gathers; a following one leaves no sooner than a window after it."""


class Ready(NamedTuple):
    """A letter that may leave: its number in the outbox and its source."""

    letter: int
    source: str


class Plan(NamedTuple):
    """What to do with the letters that are ready."""

    alone: list[int]
    gathered: dict[str, list[int]]


def plan(ready: Iterable[Ready], left_alone: Mapping[str, int], allowed: int) -> Plan:
    """Let `allowed` letters of each source leave alone, counting those of the last window, and gather the others."""
    counts = dict(left_alone)
    made = Plan([], {})
    for letter, source in ready:
        if counts.get(source, 0) < allowed:
            counts[source] = counts.get(source, 0) + 1
            made.alone.append(letter)
        else:
            made.gathered.setdefault(source, []).append(letter)
    return made


def due_at(previous: float | None, now: float) -> float:
    """When a digest that is opened now leaves; `previous` is when the source's last one was opened."""
    soon = now + FIRST_SECONDS
    return soon if previous is None else max(soon, previous + WINDOW_SECONDS)
