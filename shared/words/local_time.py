"""Times of day in the home's zone as moments, around clock changes too: the one place that decides what they mean.

A time that is skipped means the next one that exists; one that comes twice, both passes where a span is asked for, and
the first where a moment is. Comparisons are in UTC: within a zone the two passes of an hour are equal to datetime.
"""

from datetime import UTC, datetime, timedelta, tzinfo


def first(local: datetime, zone: tzinfo) -> datetime:
    """The moment (UTC) at which clocks in `zone` show this time, given without a zone, for the first time."""
    return min(_passes(local, zone))


def last(local: datetime, zone: tzinfo) -> datetime:
    """The moment (UTC) at which they show it for the last time: the end of a span that ends with it."""
    return max(_passes(local, zone))


def change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The second (UTC) at which the clocks were set once, between these moments with another offset each."""
    low, high = 0, int((after - before).total_seconds())
    old = before.astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def _passes(local: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    # PEP 495: of a time that comes twice fold tells the passes; of one that never comes, by what it would be counted:
    # the offset before the change, which is the later moment, or the one after it.
    one, other = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if one.astimezone(zone).replace(tzinfo=None, fold=0) == local.replace(fold=0):
        return one, other
    skipped = change(other, one, zone)
    return skipped, skipped
