"""Days that were removed from the chain, pure: what their records must say so that the chain still joins.

A removal is told in the chain itself, by an event that names the day, its rows and its hashes: a record that was made
by hand to cover a hole has none.
"""

from collections.abc import Sequence
from typing import NamedTuple

from alert_service.chain import arrivals
from alert_service.chain.chain import GENESIS, Broken
from shared.words.messages import AuditEvent, Who, utc
from shared.words.names import Outcome, Severity

DAY_REMOVED = "audit:day-removed"


class Day(NamedTuple):
    """A removed day (UTC): its rows, the hash before the first and of the last; `told_in` is the row that says so."""

    day: str
    first_row: int
    last_row: int
    before: str
    after: str
    told_in: int

    @property
    def rows(self) -> int:
        """How many there were."""
        return self.last_row - self.first_row + 1


class Start(NamedTuple):
    """Where the chain begins now: the last row that was removed, and its hash."""

    row: int
    head: str


def arrival(day: Day, now: float) -> arrivals.Arrival:
    """The event that tells of a removal; `told_in` is not known yet."""
    return arrivals.Arrival(
        arrivals.OURSELVES,
        AuditEvent(
            id=f"day-removed:{day.day}",
            at=utc(now),
            what=DAY_REMOVED,
            where=arrivals.OURSELVES,
            who=Who(issuer=arrivals.OURSELVES),
            outcome=Outcome.EXECUTED,
            severity=Severity.INFO,
            detail=told(day),
        ),
    )


def told(day: Day) -> dict[str, str]:
    """What the event's detail says."""
    return {
        "day": day.day,
        "rows": str(day.rows),
        "first": str(day.first_row),
        "last": str(day.last_row),
        "before": day.before,
        "hash": day.after,
    }


def start(days: Sequence[Day]) -> Start:
    """Where the chain begins; `days` are in the order of their rows."""
    return Start(days[-1].last_row, days[-1].after) if days else Start(0, GENESIS)


def fault(days: Sequence[Day]) -> Broken | None:
    """The first record that does not join the one before it."""
    row, head = 0, GENESIS
    for day in days:
        if day.first_row != row + 1 or day.before != head or day.last_row < day.first_row:
            return Broken(row=day.first_row, reason=f"the removed day {day.day} does not join what stood before it")
        row, head = day.last_row, day.after
    return None


def unproven(days: Sequence[Day], source: str, event: AuditEvent | None) -> Broken | None:
    """What is wrong with the newest removal, whose `told_in` holds `event` of `source`; older ones it vouches for."""
    if not days:
        return None
    newest = days[-1]
    if newest.told_in <= newest.last_row:
        return Broken(row=newest.last_row, reason=f"the removal of {newest.day} is not told after it")
    if event is None or source != arrivals.OURSELVES or event.what != DAY_REMOVED or event.detail != told(newest):
        return Broken(row=newest.told_in, reason=f"does not tell of the removal of {newest.day}, as it should")
    return None
