"""How much of it is told, and when, pure: few letters alone, nothing that is over in the night, all else in a sum.

Times are microseconds since 1970.
"""

from datetime import tzinfo

from alert_service.chain import chain
from alert_service.telling.hours import Hours
from alert_service.telling.noticed import SECOND

HOUR = 3600 * SECOND
ALONE = 3
"""So many letters of a rule about a place begin within an hour; the rest of that hour comes in a sum."""
LATE = HOUR
"""What is over for so long when we hear of it is told in a sum."""
PRESENT = 300 * SECOND
"""Who is at home now was there so long ago, too; who was at home earlier nobody knows."""
LAG = 60 * SECOND
"""What is heard so long after it happened comes with others: so long its end may be among those behind it."""
_DRIFT_SECONDS = 2.0
_GATHER = 60 * SECOND
"""What comes late mostly comes together."""
_DAY = Hours(7 * 60, 22 * 60)
"""When a letter about what is over wakes nobody."""


def is_late(over_at: int, now: int) -> bool:
    """Whether what was over then is old news."""
    return now - over_at > LATE


def by_day(moment: int, zone: tzinfo) -> int:
    """That moment, or where it is in the night the next morning."""
    return chain.microseconds(_DAY.first(chain.from_microseconds(moment), zone))


def sum_due(now: int, zone: tzinfo, *, late: bool) -> int:
    """When a sum that is begun now is told."""
    return by_day(now + _GATHER, zone) if late else now + HOUR


def setting(before: tuple[float, float], after: tuple[float, float]) -> int:
    """By how much the hub's clock was set between two looks, 0 for what is no more than drift.

    A look is seconds since 1970, and seconds that no setting moves.
    """
    moved = (after[0] - before[0]) - (after[1] - before[1])
    return 0 if abs(moved) < _DRIFT_SECONDS else round(moved * SECOND)
