"""Which of what arrives is a happening and no act, and how it is kept, pure.

A room's clock may be wrong. A happening is kept at its own time where that may be: not after it arrived, and not before
the oldest that is kept, which is a clock that was never set.
"""

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from alert_service.chain import arrivals, chain
from alert_service.chain.arrivals import Arrival
from alert_service.chain.forms import room_of
from alert_service.chain.sources import is_trusted, speaks_for
from shared.words.happenings import GESTURE, PASSING, TIMES, UNTIL
from shared.words.messages import AuditEvent
from shared.words.names import Outcome, Severity


class Kept(NamedTuple):
    """For how many days happenings are kept (0: not at all), and the patterns of places of which none are."""

    days: int
    off: tuple[str, ...] = ()


MONTH = Kept(31)
"""As a home keeps them where nobody says otherwise."""
_GESTURE_CHARACTERS = 16
_TIMES_MOST = 10**9
_OF_ROOMS = "room:"
"""What only we tell: that a room went and came."""


def is_passing(arrival: Arrival) -> bool:
    """Whether it goes beside the chain: a room's word on its own inputs, or ours on a room."""
    event = arrival.event
    if event.what not in PASSING or event.severity is not Severity.INFO or event.outcome is not Outcome.EXECUTED:
        return False
    if event.what.startswith(_OF_ROOMS):
        return arrival.source == arrivals.OURSELVES
    return not is_trusted(arrival.source) and "/" in event.where and speaks_for(arrival.source, event)


def is_off(place: str, patterns: Iterable[str]) -> bool:
    """Whether nothing that happens at this place is to be kept."""
    return any(fnmatchcase(place, pattern) for pattern in patterns)


def row(arrival: Arrival, received_at: datetime, oldest: datetime) -> dict[str, Any]:
    """The columns of one happening (see tables.happenings); of what was summed, from its first to its last time."""
    event = arrival.event
    at = event.at if oldest <= event.at <= received_at else received_at
    until = min(max(_until(event), at), received_at)
    return {
        "source": arrival.source,
        "id": event.id,
        "seq": event.seq,
        "at": chain.microseconds(at),
        "until": chain.microseconds(until),
        "times": _times(event),
        "received_at": chain.microseconds(received_at),
        "what": event.what,
        "place": event.where,
        "room": event.where if event.what.startswith(_OF_ROOMS) else room_of(event.where),
        "event": event.detail.get(GESTURE, "")[:_GESTURE_CHARACTERS],
    }


def _times(event: AuditEvent) -> int:
    told = event.detail.get(TIMES, "1")
    return min(max(1, int(told)), _TIMES_MOST) if told.isascii() and told.isdecimal() and len(told) < 12 else 1


def _until(event: AuditEvent) -> datetime:
    try:
        until = datetime.fromisoformat(event.detail.get(UNTIL, ""))
    except ValueError:
        return event.at
    return until if until.tzinfo is not None else event.at
