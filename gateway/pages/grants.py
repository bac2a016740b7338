"""A guest's grant in words, pure."""

from collections.abc import Iterable
from datetime import tzinfo

from gateway.picture.plain import plain
from gateway.picture.views import RoomView
from shared.words.internal import Grant

_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_MIDNIGHT = 1440


def sentence(grant: Grant, rooms: Iterable[RoomView], zone: tzinfo) -> str:
    """Which device, and when, in the home's zone: "Lamp in Hall, every day, at any time"."""
    text = f"{_device(grant, rooms)}, {_weekdays(grant)}, {_hours(grant)}"
    return f"{text}, until {grant.until.astimezone(zone):%Y-%m-%d %H:%M %Z}" if grant.until is not None else text


def _device(grant: Grant, rooms: Iterable[RoomView]) -> str:
    for room in rooms:
        if room.id == grant.room:
            for device in room.devices:
                if device.id == grant.device:
                    return f"{plain(device.name)} in {plain(room.name)}"
    return plain(f"{grant.room}/{grant.device}")


def _weekdays(grant: Grant) -> str:
    days = sorted({day for day in grant.weekdays if 0 <= day < len(_DAYS)})
    if len(days) == len(_DAYS):
        return "every day"
    return ", ".join(_DAYS[day] for day in days) or "on no day"


def _hours(grant: Grant) -> str:
    if grant.from_minute == 0 and grant.to_minute == _MIDNIGHT:
        return "at any time"
    return f"from {_time(grant.from_minute)} to {_time(grant.to_minute)}"


def _time(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
