"""Every zone there is, and when its clocks are set."""

import functools
import zoneinfo
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

ZONES = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})
MINUTE = timedelta(minutes=1)


@functools.cache
def changes(name: str) -> tuple[datetime, ...]:
    """The moments (to the minute) at which a zone's clocks are set in the years around ours."""
    zone, found = ZoneInfo(name), []
    day = datetime(2024, 1, 1, tzinfo=UTC)
    while day.year < 2029:
        after = day + timedelta(days=7)
        low, high = day, after
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            old = low.astimezone(zone).utcoffset()
            while high - low > MINUTE:
                middle = low + (high - low) // 2
                low, high = (middle, high) if middle.astimezone(zone).utcoffset() == old else (low, middle)
            found.append(high.replace(second=0, microsecond=0))
        day = after
    return tuple(found)


CHANGING = [name for name in ZONES if changes(name)]
