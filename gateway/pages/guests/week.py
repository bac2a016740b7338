"""The seven days that begin with today as strips, pure: when a device is a guest's, drawn and told in figures."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from gateway.pages import speaking
from gateway.pages.speaking import say
from shared.words.grant_times import first_of_day, spells
from shared.words.internal import Grant

WIDE = 1440
"""Of a strip, whatever length its day has: 23 and 25 hours fit into it, too."""
_DAYS = 7


class Bar(NamedTuple):
    """One stretch of a day, in units of the strip."""

    x: int
    width: int


class Day(NamedTuple):
    """One day: its name, its stretches drawn and told, and where now is, on today's."""

    name: str
    bars: tuple[Bar, ...]
    told: str
    now: int | None


def days(grants: Sequence[Grant], now: datetime) -> list[Day]:
    """Today and six days more; `now` is in the home's zone."""
    zone = now.tzinfo
    assert zone is not None
    found = []
    for number in range(_DAYS):
        day = now.date() + timedelta(days=number)
        begin, end = first_of_day(day, zone), first_of_day(day + timedelta(days=1), zone)
        length = (end - begin).total_seconds()
        if length <= 0:
            continue  # a day that a zone leaves out

        def at(moment: datetime, begin: datetime = begin, length: float = length) -> int:
            return round((moment - begin).total_seconds() / length * WIDE)

        held = spells(grants, begin.astimezone(zone), end)
        texts = [
            f"{a.astimezone(zone):%H:%M}–{'24:00' if b == end else f'{b.astimezone(zone):%H:%M}'}" for a, b in held
        ]
        name = say("Today") if number == 0 else speaking.now().short_weekday(day)
        bars = tuple(Bar(at(a), max(1, at(b) - at(a))) for a, b in held)
        found.append(Day(name, bars, _told(texts), at(now) if number == 0 else None))
    return found


def _told(texts: list[str]) -> str:
    if not texts:
        return say("not at all")
    return say("all day") if texts == ["00:00–24:00"] else ", ".join(texts)
