"""Which letters about one person's acts on one device go at once, and which together within a minute; pure.

The first goes at once. Further ones wait until a minute after the last letter about the two, at the most a minute from
now, and leave in one that lists each: whoever tries a lock five times is read of twice.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

WINDOW_SECONDS = 60.0
FULL = 200
"""A letter with so many acts takes no more; the next ones are in another."""


class Pair(NamedTuple):
    """One person on one device, by the word of one source: what a room claims holds up no gateway's letter."""

    source: str
    who: str
    place: str
    audience: str


class Standing(NamedTuple):
    """What is there about a pair: the letter that still gathers, with how many it has, and when one last left."""

    gathering: int | None = None
    acts: int = 0
    left_at: float | None = None


class Plan(NamedTuple):
    """What to do with the letters that are ready: at once, into letters that gather, or into new ones of that time."""

    first: list[int]
    joined: dict[int, list[int]]
    opened: dict[Pair, tuple[float, list[int]]]


def plan(ready: Iterable[tuple[int, Pair]], known: Mapping[Pair, Standing], now: float) -> Plan:
    """Sort out the letters, each with its pair, in their order."""
    made = Plan([], {}, {})
    standing = dict(known)
    for letter, pair in ready:
        there = standing.get(pair, Standing())
        if pair in made.opened:
            made.opened[pair][1].append(letter)
        elif there.gathering is not None and there.acts < FULL:
            made.joined.setdefault(there.gathering, []).append(letter)
            standing[pair] = there._replace(acts=there.acts + 1)
        elif there.left_at is not None and now - there.left_at < WINDOW_SECONDS:
            # By a clock that was set back, the last one may have left in the future.
            made.opened[pair] = (min(there.left_at, now) + WINDOW_SECONDS, [letter])
        elif there.gathering is not None:
            made.opened[pair] = (now + WINDOW_SECONDS, [letter])
        else:
            made.first.append(letter)
            standing[pair] = Standing(left_at=now)
    return made
