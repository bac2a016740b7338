"""Hours and days of a rule, pure: whether a moment lies in them, and when they next begin, around clock changes too.

The clock on the wall decides: of a doubled hour both passes count, and where a beginning is skipped the next minute
that exists is the first one. Hours over midnight belong to the day on which they begin.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache

import msgspec

from shared.words import local_time

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ALWAYS = frozenset(range(7))
_BETWEEN = re.compile(r"(\d{1,2}):(\d\d) ?- ?(\d{1,2}):(\d\d)")
_PART = re.compile(r"(\d+) ?(s|min|h)")
_LASTING = re.compile(r"(?:\d+ ?(?:s|min|h) ?)+")
_SECONDS = {"s": 1, "min": 60, "h": 3600}
LONGEST = 7 * 86400
"""Seconds. What is to last longer than a week is no news of a house."""
_AHEAD = 16
"""Days in which any hours on any day begin, though a clock change take them away once."""


class Hours(msgspec.Struct, frozen=True):
    """From `start` until before `end` (minutes of the day; over midnight where it is the smaller one) on `days`."""

    start: int = 0
    end: int = 24 * 60
    days: frozenset[int] = _ALWAYS

    @property
    def always(self) -> bool:
        """Whether there is no moment that does not fit."""
        return self == Hours()

    def hold(self, moment: datetime, zone: tzinfo) -> bool:
        """Whether `moment` lies in them."""
        if self.always:
            return True
        local = moment.astimezone(zone)
        minute = local.hour * 60 + local.minute
        if self.start < self.end:
            return self.start <= minute < self.end and local.weekday() in self.days
        if minute >= self.start:
            return local.weekday() in self.days
        return minute < self.end and (local.weekday() - 1) % 7 in self.days

    def first(self, moment: datetime, zone: tzinfo) -> datetime:
        """The first moment from `moment` on that lies in them (UTC)."""
        moment = moment.astimezone(UTC)
        if self.hold(moment, zone):
            return moment
        begin = (one for one in self._beginnings(moment, zone) if one > moment and self.hold(one, zone))
        return next(begin)

    def _beginnings(self, moment: datetime, zone: tzinfo) -> Iterator[datetime]:
        """Every moment at which they may begin, in order: both passes of their start, and where the clock is set."""
        today = datetime.combine(moment.astimezone(zone).date(), time())
        for ahead in range(-1, _AHEAD):
            day = today + timedelta(days=ahead)
            start = day + timedelta(minutes=self.start)
            found = {local_time.first(start, zone), local_time.last(start, zone)}
            found.update(_changes(day, zone))
            yield from sorted(found)


@lru_cache(256)
def _changes(day: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """Where the clock is set on that day of the zone, if it is."""
    before, after = local_time.first(day, zone), local_time.last(day + timedelta(days=1), zone)
    if before.astimezone(zone).utcoffset() == after.astimezone(zone).utcoffset():
        return ()
    return (local_time.change(before, after, zone),)


def between(text: str) -> tuple[int, int]:
    """ "23:00-06:00" in minutes of the day; `24:00` ends the day. Raises ValueError with what would be right."""
    found = _BETWEEN.fullmatch(text.strip())
    wish = 'write hours like "23:00-06:00"'
    if found is None:
        raise ValueError(f'"{text}" names no hours; {wish}')
    start, end = _minute(found[1], found[2]), _minute(found[3], found[4])
    if start is None or end is None or start == 24 * 60:
        raise ValueError(f'"{text}" names a time that no clock shows; {wish}')
    if start == end % (24 * 60) and (start or end == 0):
        raise ValueError(f'"{text}" begins when it ends; leave it out for the whole day, or {wish}')
    return start, end


def days(words: tuple[str, ...]) -> frozenset[int]:
    """("mon-fri", "sun") as weekdays, Monday is 0. Raises ValueError with what would be right."""
    found: set[int] = set()
    for word in words:
        first, dash, last = (part.strip() for part in word.lower().partition("-"))
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(f'"{word}" is no day; write {", ".join(DAYS)}, or several like "mon-fri"')
        begin = DAYS.index(first)
        count = (DAYS.index(last) - begin) % 7 + 1 if dash else 1
        found.update((begin + one) % 7 for one in range(count))
    return frozenset(found)


def lasting(text: str) -> int:
    """ "10 min", "90 s" or "1 h 30 min" in seconds. Raises ValueError with what would be right."""
    wish = 'write one like "10 min", "90 s" or "1 h 30 min"'
    if _LASTING.fullmatch(text.strip()) is None:
        raise ValueError(f'"{text}" is no length of time; {wish}')
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if not 0 < seconds <= LONGEST:
        raise ValueError(f'"{text}" is {"nothing" if not seconds else "more than a week"}; {wish}')
    return seconds


def _minute(hour: str, minute: str) -> int | None:
    at = int(hour) * 60 + int(minute)
    return at if int(minute) < 60 and at <= 24 * 60 else None
