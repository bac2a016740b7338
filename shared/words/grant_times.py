"""When grants hold, pure: by the home's clocks as people read them, over midnight and around every change of these.

A grant holds while a clock in the home shows one of its hours on one of its weekdays. So an hour that comes twice
counts in both passes; a beginning or an end that is skipped falls on the next minute that exists. `now` is an aware
moment in the home's zone throughout; moments that are answered are in UTC.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from shared.words.internal import Grant
from shared.words.local_time import change, first, last

DAY = 1440
"""Minutes."""
_HORIZON = 16
"""Days: after a week every week is like the last one, and of one of these a change of the clocks may skip the hours."""


class Outlook(NamedTuple):
    """Whether something is granted now, and when that changes next; `changes` is None where it never does."""

    holds: bool
    changes: datetime | None


def holds(grant: Grant, now: datetime) -> bool:
    """Whether a grant holds at `now`. `to_minute` and `until` are past its end."""
    if not _is_shown(grant, now.weekday(), now.hour * 60 + now.minute):
        return False
    if grant.since is None and grant.until is None:
        return True
    moment = now.astimezone(UTC)  # within one zone the two passes of an hour are equal to datetime
    begun = grant.since is None or moment >= grant.since.astimezone(UTC)
    return begun and (grant.until is None or moment < grant.until.astimezone(UTC))


def _is_shown(grant: Grant, weekday: int, minute: int) -> bool:
    """Whether a clock that shows this names one of its minutes."""
    if not over_midnight(grant):
        return weekday in grant.weekdays and grant.from_minute <= minute < grant.to_minute
    # The hours after midnight belong to the day on which the evening began.
    if minute >= grant.from_minute:
        return weekday in grant.weekdays
    return minute < grant.to_minute and (weekday - 1) % 7 in grant.weekdays


def over_midnight(grant: Grant) -> bool:
    """Whether its hours end on the day after the one on which they began."""
    return grant.from_minute > grant.to_minute


def next_change(grants: Sequence[Grant], now: datetime) -> datetime | None:
    """When the first of them begins or ends to hold after `now`; None where none ever does."""
    return _first_other(grants, now, lambda at: tuple(holds(grant, at) for grant in grants))


def outlook(grants: Sequence[Grant], now: datetime) -> Outlook:
    """What all of them together come to: one that begins where another ends goes on with it."""

    return Outlook(_any_holds(grants, now), _first_other(grants, now, lambda at: _any_holds(grants, at)))


def spells(grants: Sequence[Grant], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """From when until when (UTC) any of them holds, between `start`, in the home's zone, and `end`."""
    found: list[tuple[datetime, datetime]] = []
    begun: datetime | None = start if _any_holds(grants, start) else None
    for moment in _moments(grants, start):
        if moment >= end:
            break
        held = _any_holds(grants, moment.astimezone(start.tzinfo))
        if held and begun is None:
            begun = moment
        elif not held and begun is not None:
            found.append((begun.astimezone(UTC), moment))
            begun = None
    if begun is not None:
        found.append((begun.astimezone(UTC), end))
    return found


def first_of_day(day: date, zone: tzinfo) -> datetime:
    """The moment (UTC) at which a day begins there, be its midnight skipped or twice."""
    return first(datetime.combine(day, time()), zone)


def day_begun(moment: datetime, zone: tzinfo) -> date | None:
    """The day that begins at this very moment; None for a moment within one."""
    day = moment.astimezone(zone).date()
    return day if first_of_day(day, zone) == moment else None


def _any_holds(grants: Sequence[Grant], now: datetime) -> bool:
    return any(holds(grant, now) for grant in grants)


def _first_other(grants: Sequence[Grant], now: datetime, look: Callable[[datetime], object]) -> datetime | None:
    at_first = look(now)
    for moment in _moments(grants, now):
        if look(moment.astimezone(now.tzinfo)) != at_first:
            return moment
    return None


def _moments(grants: Sequence[Grant], now: datetime) -> Iterator[datetime]:
    """Every moment after `now` at which one of them may begin or end, in order.

    Behind `now`, and behind every `since` and `until`, as many days as it takes for the weeks to repeat themselves.
    """
    zone = now.tzinfo or UTC
    start = now.astimezone(UTC)
    limits = {one.astimezone(UTC) for grant in grants for one in (grant.since, grant.until) if one is not None}
    partial = [grant for grant in grants if not _all_day(grant)]
    for end in (*sorted(one for one in limits if one > start), None):
        begun = start.astimezone(zone).date()
        waiting: set[datetime] = set()
        for days in range(-1, _HORIZON):
            day = begun + timedelta(days=days)
            waiting.update(_of_day(partial, day, zone))
            # Where midnight comes twice, the end of a day in its second pass is behind the next one's beginning.
            border = first_of_day(day + timedelta(days=1), zone)
            moments = sorted(one for one in waiting if one <= border)
            waiting.difference_update(moments)
            yield from (one for one in moments if start < one and (end is None or one < end))
            if end is not None and border >= end:
                break
        if end is not None:
            yield end
            start = end


def _of_day(grants: Iterable[Grant], day: date, zone: tzinfo) -> Iterator[datetime]:
    """When clocks show that one of them begins or ends on that day, in each pass, and when they are set."""
    midnight = datetime.combine(day, time())
    minutes = {minute for grant in grants for minute in (grant.from_minute, grant.to_minute)}
    before, after = first(midnight, zone), last(midnight + timedelta(days=1), zone)
    if after - before == timedelta(days=1):  # as on nearly every day: no clock is set, and to ask of each time is dear
        yield from (before + timedelta(minutes=minute) for minute in minutes)
        return
    for minute in minutes:
        local = midnight + timedelta(minutes=minute)
        yield first(local, zone)
        yield last(local, zone)
    yield change(before, after, zone)


def _all_day(grant: Grant) -> bool:
    """Whether no clock and no weekday matters to it."""
    return grant.from_minute == 0 and grant.to_minute == DAY and set(grant.weekdays) == set(range(7))
