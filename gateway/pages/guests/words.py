"""Grants in words, pure: which device, when, until when; what stands now, what comes next, and when it ends."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from gateway.pages import acts, times
from gateway.picture.plain import plain
from gateway.picture.views import RoomView
from shared.words import grant_text
from shared.words.grant_times import DAY, day_begun, outlook
from shared.words.internal import Grant

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
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
                    return f"{plain(found.name)} in {plain(room.name)}"
    return plain(f"{room_id}/{device_id}", 2 * 64)


def what(grant: Grant) -> str:
    """Which actions: "On, Off only", "looking only", or nothing for all."""
    if grant.actions is None:
        return ""
    return f"{', '.join(map(acts.label, grant.actions))} only" if grant.actions else "looking only"


def when(grant: Grant, now: datetime) -> str:
    """ "Mon to Fri, 22:00 to 06:00, from 1 December, until 24 December": a day that it ends with is included."""
    parts = [_weekdays(grant.weekdays), _hours(grant)]
    if grant.since is not None:
        parts.append(f"from {_limit(grant.since, now)}")
    if grant.until is not None:
        parts.append(f"until {_limit(grant.until, now, ends=True)}")
    return ", ".join(parts)


def standing(grants: Sequence[Grant], now: datetime) -> Now:
    """What stands now, what comes next, and when it ends for good; of the grants of one device together."""
    found = outlook(grants, now)
    told = []
    if found.changes is None:
        told.append("Without end." if found.holds else "Over.")
    elif found.holds:
        told.append(f"Until {coming(found.changes, now)}.")
        again = outlook(grants, found.changes.astimezone(now.tzinfo)).changes
        told.append(f"Next {coming(again, now)}." if again is not None else "Not again after that.")
    else:
        told.append(f"Next {coming(found.changes, now)}.")
    ends = [grant.until for grant in grants if grant.until is not None]
    if found.changes is not None and len(ends) == len(grants):
        told.append(f"Ends for good: {_limit(max(ends), now, ends=True)}.")
    return Now(found.holds, tuple(told))


def coming(moment: datetime, now: datetime) -> str:
    """A moment ahead, as briefly as it can be said at `now`: "today 22:00", "tomorrow 06:00", "Monday 22:00"."""
    local = moment.astimezone(now.tzinfo)
    days = (local.date() - now.date()).days
    time = f"{local:%H:%M}"
    if days == 0:
        return f"today {time}"
    if days == 1:
        return f"tomorrow {time}"
    if 0 < days < _WEEK:
        return f"{local:%A} {time}"
    return f"{times.date(local, now)} {time}"


def _limit(moment: datetime, now: datetime, *, ends: bool = False) -> str:
    """A day where one begins, or ended, at that moment; else day and time."""
    zone = now.tzinfo
    assert zone is not None
    if day_begun(moment, zone) is None:
        return f"{times.date(moment.astimezone(zone), now)} {moment.astimezone(zone):%H:%M}"
    return times.date((moment - timedelta(seconds=int(ends))).astimezone(zone), now)


def _weekdays(weekdays: tuple[int, ...]) -> str:
    runs = grant_text.runs(weekdays)
    if runs == [(0, 6)]:
        return "every day"
    return ", ".join(_DAYS[a] if a == b else f"{_DAYS[a]} to {_DAYS[b]}" for a, b in runs)


def _hours(grant: Grant) -> str:
    if (grant.from_minute, grant.to_minute) == (0, DAY):
        return "at any time"
    return f"{grant_text.clock(grant.from_minute)} to {grant_text.clock(grant.to_minute)}"
