"""Which letters leave alone and which are gathered, pure: one party's flood never hides another's letter.

A party is whoever a source speaks of. Counted by source alone, a guest who misbehaves at a gateway would decide
whether the next letter of that gateway, about the front door, is read in time.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

WINDOW_SECONDS = 600.0
"""Letters that left alone within this time count against their party and their source."""
PARTIES = 5
"""A source as a whole gets so many parties' share: one that invents users and places floods nobody."""
FIRST_SECONDS = 30.0
"""How long a source's first digest gathers; a following one leaves no sooner than a window after it."""


class Ready(NamedTuple):
    """A letter that may leave: its number in the outbox, its source, and of whom that speaks.

    `proven` is a critical command that was or may have been carried out, and that a gateway says was asked for.
    """

    letter: int
    source: str
    party: str
    proven: bool = False


class Plan(NamedTuple):
    """What to do with the letters that are ready."""

    alone: list[int]
    gathered: dict[str, list[int]]


def party(user: str | None, place: str, issuer: str) -> str:
    """Of whom an event speaks: the user whom it names, else its place, else who issued it."""
    return f"user {user}" if user else f"place {place}" if place else f"issuer {issuer}"


def plan(ready: Iterable[Ready], left_alone: Mapping[tuple[str, str], int], allowed: int) -> Plan:
    """Let `allowed` letters of each (source, party) leave alone, counting those of the last window; gather the others.

    Proven ones always leave alone and count against nobody.
    """
    parties, sources = Counter(left_alone), Counter[str]()
    for (source, _), left in left_alone.items():
        sources[source] += left
    made = Plan([], {})
    for one in ready:
        if one.proven:
            made.alone.append(one.letter)
        elif parties[one.source, one.party] < allowed and sources[one.source] < allowed * PARTIES:
            parties[one.source, one.party] += 1
            sources[one.source] += 1
            made.alone.append(one.letter)
        else:
            made.gathered.setdefault(one.source, []).append(one.letter)
    return made


def due_at(previous: float | None, now: float) -> float:
    """When a digest that is opened now leaves; `previous` is when the source's last one was opened."""
    soon = now + FIRST_SECONDS
    return soon if previous is None else max(soon, previous + WINDOW_SECONDS)
