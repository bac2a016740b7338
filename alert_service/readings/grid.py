"""Into which points an answer is cut, pure: borders that what is kept can fill, and at most MOST_POINTS of them."""

from alert_service.readings.book import Kept
from alert_service.readings.sums import FIVE_MINUTES, HOUR
from shared.words.internal_readings import MOST_POINTS, ReadingsQuery
from shared.words.problem import HomeError

_NICE = (10, 30, 60, 120, FIVE_MINUTES, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR)
_DAY = 86_400
_GOOD_POINTS = 500
"""About as many as a screen shows."""


def finest(since: int, now: int, kept: Kept) -> int:
    """The shortest step, in seconds, that can be answered from `since` on: what is older is kept in larger ones."""
    if since >= now - kept.raw_days * _DAY:
        return 1
    return FIVE_MINUTES if since >= now - kept.five_minute_days * _DAY else HOUR


def borders(query: ReadingsQuery, now: int, kept: Kept) -> tuple[int, list[int]]:
    """The step and the borders of an answer. A step that is not kept becomes the next longer one that is.

    Raises HomeError("invalid-value") with what would be right.
    """
    span = query.until - query.since
    if span <= 0:
        raise HomeError("invalid-value", "until must be later than since.")
    least = finest(query.since, now, kept)
    step = query.step if query.step is not None else _chosen(span, least)
    if step >= FIVE_MINUTES or step < least:
        unit = HOUR if least == HOUR or step % HOUR == 0 else FIVE_MINUTES
        step = -(-max(step, least) // unit) * unit
    first = query.since - query.since % (step if step < _DAY else HOUR)
    count = -(-(query.until - first) // step)
    if count > MOST_POINTS:
        right = -(-span // (MOST_POINTS - 1))
        raise HomeError(
            "invalid-value",
            f"That would be {count:,} points, and {MOST_POINTS:,} are the most: ask for step={right} or more, or for a "
            "shorter time.",
        )
    return step, [first + number * step for number in range(count + 1)]


def source(edges: list[int], now: int, kept: Kept) -> int:
    """Of which length the sums may be that fill these borders; 1: rows."""
    if all(edge % HOUR == 0 for edge in edges) or edges[0] < now - kept.five_minute_days * _DAY:
        return HOUR
    if all(edge % FIVE_MINUTES == 0 for edge in edges) or edges[0] < now - kept.raw_days * _DAY:
        return FIVE_MINUTES
    return 1


def coarser(edges: list[int], length: int) -> list[int]:
    """Borders no closer than `length`: what is kept in such pieces only would leave points between empty."""
    kept = [edges[0]]
    for edge in edges[1:-1]:
        if edge - kept[-1] >= length and edges[-1] - edge >= length:
            kept.append(edge)
    return [*kept, edges[-1]]


def _chosen(span: int, least: int) -> int:
    wanted = max(span / _GOOD_POINTS, least)
    return next((step for step in _NICE if step >= wanted), -(-int(wanted) // _DAY) * _DAY)
