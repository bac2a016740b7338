"""Moments as a household says them: "21:04", "Monday 21:04", "3 March 21:04". static/wording.js says the same.

In the page's language (speaking.py), and pure but for that.
"""

import math
from datetime import datetime, tzinfo
from typing import Final

from gateway.pages import speaking
from gateway.pages.speaking import say, say_many
from shared.words.languages import later

_WEEK = 7
_UNITS: Final = (
    (later("{number} s"), 1, 120),
    (later("{number} min"), 60, 7200),
    (later("{number} h"), 3600, 172_800),
    (later("{number} days"), 86_400, 31_536_000),
)
"""A length of time, its unit in seconds, and from where on the next one is used."""


def clock(moment: datetime, now: datetime) -> str:
    """When it was, as briefly as it can be said at `now`; both aware, and `now` in the home's zone."""
    local = moment.astimezone(now.tzinfo)
    days = (now.date() - local.date()).days
    time = f"{local:%H:%M}"
    if days == 0:
        return time
    if 0 < days < _WEEK:
        return say("{day} {time}", day=speaking.now().weekday(local.date()), time=time)
    return say("{day} {time}", day=date(local, now), time=time)


def day_of(moment: datetime, now: datetime) -> str:
    """The date of a moment that lies ahead."""
    return date(moment.astimezone(now.tzinfo), now)


def to_second(moment: datetime, zone: tzinfo) -> str:
    """A time of today, for what is over within minutes."""
    return f"{moment.astimezone(zone):%H:%M:%S}"


def day(moment: datetime, now: datetime) -> str:
    """The day a moment fell on: "Today", "Yesterday", else its weekday and date."""
    local = moment.astimezone(now.tzinfo)
    days = (now.date() - local.date()).days
    if days == 0:
        return say("Today")
    if days == 1:
        return say("Yesterday")
    return _with_weekday(local, date(local, now))


def today(now: datetime) -> str:
    """The date on top of the home: "Monday 23 November"."""
    return _with_weekday(now, speaking.now().dated(now.date(), year=False))


def date(local: datetime, now: datetime) -> str:
    """Day and month, and the year unless it is this one."""
    return speaking.now().dated(local.date(), year=local.year != now.year)


def full(moment: datetime, zone: tzinfo) -> str:
    """Everything, for a tooltip."""
    local, spoken = moment.astimezone(zone), speaking.now()
    told = _with_weekday(local, spoken.dated(local.date()))
    return f"{told}, {local:%H:%M:%S} {spoken.zone_name(moment, zone)}"


def wait(seconds: int) -> str:
    """How long to wait, in words: "40 seconds", "4 minutes"."""
    if seconds < 90:
        return say_many("{count} second", "{count} seconds", seconds)
    minutes = -(-seconds // 60)
    if minutes < 90:
        return say_many("{count} minute", "{count} minutes", minutes)
    return say_many("{count} hour", "{count} hours", -(-minutes // 60))


def span(seconds: float | None) -> str:
    """How long something lasts, as briefly: "0.5 s", "10 min", "2.5 h"; empty for what is no length of time."""
    if seconds is None or not math.isfinite(seconds) or seconds <= 0:
        return ""
    for told, size, most in _UNITS:
        if seconds < most:
            return say(told, number=speaking.now().number(max(round(seconds / size, 1), 0.1)))
    return say("over a year")


def _with_weekday(local: datetime, told: str) -> str:
    return say("{weekday} {date}", weekday=speaking.now().weekday(local.date()), date=told)
