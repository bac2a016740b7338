"""Grants in words, pure: which device, when, until when; what stands now, what comes next, and when it ends."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from gateway.pages import acts, speaking, times
from gateway.pages.speaking import say
from gateway.picture.plain import plain
from gateway.picture.views import RoomView
from shared.words import grant_text
from shared.words.grant_times import DAY, day_begun, outlook
from shared.words.internal import Grant

_MONDAY = date(2024, 1, 1)
"""From which the days of the week are counted, for their names."""
_WEEK = 7


class Now(NamedTuple):
    """How a device stands for a guest: whether it is theirs now, and in words since or until when, and when it ends."""

    holds: bool
    told: tuple[str, ...]


def sentence(grant: Grant, rooms: Iterable[RoomView], now: datetime) -> str:
    """All of it: "Lamp in Hall (On only), Mon to Fri, 22:00 to 06:00, until 24 December"; `now` in the home's zone."""
    only = what(grant)
    named = device(grant.room, grant.device, rooms)
    return f"{named}{f' ({only})' if only else ''}, {when(grant, now)}"


def device(room_id: str, device_id: str, rooms: Iterable[RoomView]) -> str:
    """A device by its names, "Lamp in Hall"; one that is gone by its id."""
    for room in rooms:
        if room.id == room_id:
            for found in room.devices:
                if found.id == device_id:
                    return say("{device} in {room}", device=plain(found.name), room=plain(room.name))
    return plain(f"{room_id}/{device_id}", 2 * 64)


def what(grant: Grant) -> str:
    """Which actions: "On, Off only", "looking only", or nothing for all."""
    if grant.actions is None:
        return ""
    if not grant.actions:
        return say("looking only")
    return say("{actions} only", actions=", ".join(map(acts.label, grant.actions)))


def when(grant: Grant, now: datetime) -> str:
    """ "Mon to Fri, 22:00 to 06:00, from 1 December, until 24 December": a day that it ends with is included."""
    parts = [_weekdays(grant.weekdays), _hours(grant)]
    if grant.since is not None:
        parts.append(say("from {when}", when=_limit(grant.since, now)))
    if grant.until is not None:
        parts.append(say("until {when}", when=_limit(grant.until, now, ends=True)))
    return ", ".join(parts)


def standing(grants: Sequence[Grant], now: datetime) -> Now:
    """What stands now, what comes next, and when it ends for good; of the grants of one device together."""
    found = outlook(grants, now)
    told = []
    if found.changes is None:
        told.append(say("Without end.") if found.holds else say("Over."))
    elif found.holds:
        told.append(say("Until {when}.", when=coming(found.changes, now)))
        again = outlook(grants, found.changes.astimezone(now.tzinfo)).changes
        told.append(_next(again, now) if again is not None else say("Not again after that."))
    else:
        told.append(_next(found.changes, now))
    ends = [grant.until for grant in grants if grant.until is not None]
    if found.changes is not None and len(ends) == len(grants):
        told.append(say("Ends for good: {when}.", when=_limit(max(ends), now, ends=True)))
    return Now(found.holds, tuple(told))


def coming(moment: datetime, now: datetime) -> str:
    """A moment ahead, as briefly as it can be said at `now`: "today 22:00", "tomorrow 06:00", "Monday 22:00"."""
    local = moment.astimezone(now.tzinfo)
    days = (local.date() - now.date()).days
    time = f"{local:%H:%M}"
    if days == 0:
        return say("today {time}", time=time)
    if days == 1:
        return say("tomorrow {time}", time=time)
    if 0 < days < _WEEK:
        return say("{day} {time}", day=speaking.now().weekday(local.date()), time=time)
    return say("{day} {time}", day=times.date(local, now), time=time)


def _next(moment: datetime, now: datetime) -> str:
    return say("Next {when}.", when=coming(moment, now))


def _day(number: int) -> str:
    return speaking.now().short_weekday(_MONDAY + timedelta(days=number))


def _limit(moment: datetime, now: datetime, *, ends: bool = False) -> str:
    """A day where one begins, or ended, at that moment; else day and time."""
    zone = now.tzinfo
    assert zone is not None
    if day_begun(moment, zone) is None:
        local = moment.astimezone(zone)
        return say("{day} {time}", day=times.date(local, now), time=f"{local:%H:%M}")
    return times.date((moment - timedelta(seconds=int(ends))).astimezone(zone), now)


def _weekdays(weekdays: tuple[int, ...]) -> str:
    runs = grant_text.runs(weekdays)
    if runs == [(0, 6)]:
        return say("every day")
    return ", ".join(_day(a) if a == b else say("{first} to {last}", first=_day(a), last=_day(b)) for a, b in runs)


def _hours(grant: Grant) -> str:
    if (grant.from_minute, grant.to_minute) == (0, DAY):
        return say("at any time")
    first, last = grant_text.clock(grant.from_minute), grant_text.clock(grant.to_minute)
    return say("{first} to {last}", first=first, last=last)
