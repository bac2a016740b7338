"""Moments as a household says them, pure: "21:04", "Monday 21:04", "3 March 21:04". static/wording.js says the same."""

import math
from datetime import datetime, tzinfo

_WEEK = 7


def clock(moment: datetime, now: datetime) -> str:
    """When it was, as briefly as it can be said at `now`; both aware, and `now` in the home's zone."""
    local = moment.astimezone(now.tzinfo)
    days = (now.date() - local.date()).days
    time = f"{local:%H:%M}"
    if days == 0:
        return time
    if 0 < days < _WEEK:
        return f"{local:%A} {time}"
    return f"{date(local, now)} {time}"


def day(moment: datetime, now: datetime) -> str:
    """The day a moment fell on: "Today", "Yesterday", else its weekday and date."""
    local = moment.astimezone(now.tzinfo)
    days = (now.date() - local.date()).days
    if days == 0:
        return "Today"
    if days == 1:
        return "Yesterday"
    return f"{local:%A} {date(local, now)}"


def date(local: datetime, now: datetime) -> str:
    """Day and month, and the year unless it is this one."""
    text = f"{local.day} {local:%B}"
    return text if local.year == now.year else f"{text} {local.year}"


def full(moment: datetime, zone: tzinfo) -> str:
    """Everything, for a tooltip."""
    local = moment.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M:%S} {local.tzname()}"


def wait(seconds: int) -> str:
    """How long to wait, in words: "40 seconds", "4 minutes"."""
    if seconds < 90:
        return f"{seconds} second{'s' if seconds != 1 else ''}"
    minutes = -(-seconds // 60)
    if minutes < 90:
        return f"{minutes} minutes"
    return f"{-(-minutes // 60)} hours"


def span(seconds: float | None) -> str:
    """How long something lasts, as briefly: "0.5 s", "10 min", "2.5 h"; empty for what is no length of time."""
    if seconds is None or not math.isfinite(seconds) or seconds <= 0:
        return ""
    for unit, size, most in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800), ("days", 86_400, 31_536_000)):
        if seconds < most:
            return f"{max(round(seconds / size, 1), 0.1):g} {unit}"
    return "over a year"
