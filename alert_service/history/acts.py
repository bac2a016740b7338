"""The record's rows in SQL: the newest ones that one may see and wants to, each question along indexes.

Every index that is walked ends in the row (`_ranges`), so a page costs as little among a million events as among a
hundred, whether its filter fits all of them or none. What they are about stands in each index behind the row: it is
looked at there, and nothing else is read of a row that does not fit.
"""

import itertools
from collections.abc import Iterator, Sequence

from sqlalchemy import Column, ColumnElement, Select, and_, false, func, literal_column, or_, select, text, union
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import chain
from alert_service.history import narrowing
from alert_service.history.narrowing import Arm
from alert_service.tables import LATE_MICROSECONDS, OFF_CLOCK, events
from shared.words.internal_alerts import AuditFilter
from shared.words.names import Outcome

_KINDS_MOST = 500
"""Of what a record is about: some sixty, where no room makes up more."""
_NOTHING: ColumnElement[str] = literal_column(
    "''"
)  # not bound: a partial index is used only where its condition is literally there
_IN_ROOMS, _ELSEWHERE = events.c.room != _NOTHING, events.c.room == _NOTHING
_ENDS = ", ".join(f"('{one}')" for one in Outcome)
# Each kind with each end of it, one look into `events_by_what` for each: never a walk through all that there are.
_KINDS = text(
    "WITH RECURSIVE kinds (what) AS ("
    " SELECT min(what) FROM events UNION ALL"
    " SELECT (SELECT min(e.what) FROM events e WHERE e.what > kinds.what) FROM kinds WHERE kinds.what IS NOT NULL"
    f"), ends (outcome) AS (VALUES {_ENDS})"
    " SELECT kinds.what, ends.outcome FROM kinds CROSS JOIN ends WHERE kinds.what IS NOT NULL AND EXISTS"
    " (SELECT 1 FROM events e WHERE e.what = kinds.what AND e.outcome = ends.outcome)"
    f" LIMIT {_KINDS_MOST}"
)

Conditions = list[ColumnElement[bool]]
Kinds = list[tuple[str, str]]


async def head(connection: AsyncConnection) -> int:
    """The newest row; 0 before the first."""
    return (await connection.execute(select(func.max(events.c.row)))).scalar() or 0


async def newest(
    connection: AsyncConnection, arms: Sequence[Arm], wanted: AuditFilter, *, limit: int, below: int | None
) -> list[int]:
    """The newest rows below `below`, at most `limit`, that are in one of the arms and fit what else is wanted."""
    kinds = await _kinds(connection, wanted)
    if not arms or kinds == []:
        return []
    older: Conditions = [events.c.row < below] if below is not None else []
    at = _within(wanted)
    ranges: list[Conditions] = []
    bounds = await _bounds(connection, wanted) if at else []
    if bounds is not None:
        within = [*older, *at, *bounds]
        ranges = [[*conditions, *within] for conditions in _ranges(arms, wanted.outcome, kinds)]
    found: set[int] = set()
    if at:
        found.update((await connection.execute(_off_clock(arms, wanted, kinds, [*at, *older], limit))).scalars())
    for some in narrowing.batches(ranges):
        parts = [select(_first(conditions, limit).subquery().c.row) for conditions in some]
        found.update((await connection.execute(union(*parts))).scalars())
    return sorted(found, reverse=True)[:limit]


async def _kinds(connection: AsyncConnection, wanted: AuditFilter) -> Kinds | None:
    """What the wanted kinds are called in this record, and how they ended there; None where any kind is wanted."""
    if wanted.what is None:
        return None
    return [
        (what, outcome)
        for what, outcome in (await connection.execute(_KINDS)).all()
        if narrowing.is_like(what, wanted.what) and wanted.outcome in (None, outcome)
    ]


def _first(conditions: Conditions, limit: int) -> Select[int]:
    return select(events.c.row).where(*conditions).order_by(events.c.row.desc()).limit(limit)


def _off_clock(
    arms: Sequence[Arm], wanted: AuditFilter, kinds: Kinds | None, more: Conditions, limit: int
) -> Select[int]:
    """What arrived late, by its own index: `||` and `+ 0` keep SQLite from taking another, which holds far more."""
    either = or_(
        false(),
        *(
            and_(OFF_CLOCK, *(column.concat("") == value for column, value in _named(arm)), *_in_rooms(arm))
            for arm in arms
        ),
    )
    only = [] if wanted.outcome is None else [events.c.outcome.concat("") == wanted.outcome.value]
    found = select(events.c.row).where(OFF_CLOCK, either, *only, *_about(kinds), *more)
    return found.order_by((events.c.row + 0).desc()).limit(limit)


def _ranges(arms: Sequence[Arm], outcome: Outcome | None, kinds: Kinds | None) -> Iterator[Conditions]:
    """One range of one index each: what is equal, how it ended, and whether it was in a room, which splits an index."""
    outcomes = tuple(str(one) for one in Outcome) if outcome is None else (str(outcome),)
    if kinds is not None:
        outcomes = tuple(one for one in outcomes if any(one == ended for _, ended in kinds))
    for arm in arms:
        if kinds is not None and arm in (Arm(), Arm(in_rooms=True)):
            for what, ended in kinds:
                yield [events.c.what == what, events.c.outcome == ended, *_in_rooms(arm)]
            continue
        if arm == Arm() and outcome is None:
            yield []
            continue
        split: list[Conditions] = [[]]
        if arm.room is None and arm.place is None:
            split = [[_IN_ROOMS]] if arm.in_rooms else [[_IN_ROOMS], [_ELSEWHERE]]
        for where, ended in itertools.product(split, outcomes):
            yield [*_equal(arm), events.c.outcome == ended, *where, *_about(kinds)]


def _about(kinds: Kinds | None) -> Conditions:
    """What they are about, as a look at what is found by another index."""
    return [] if kinds is None else [events.c.what.concat("").in_(sorted({what for what, _ in kinds}))]


def _equal(arm: Arm) -> Conditions:
    return [column == value for column, value in _named(arm)]


def _named(arm: Arm) -> Iterator[tuple[Column[str], str]]:
    for column, value in ((events.c.user_id, arm.user), (events.c.room, arm.room), (events.c.place, arm.place)):
        if value is not None:
            yield column, value


def _in_rooms(arm: Arm) -> Conditions:
    return [events.c.room.concat("") != ""] if arm.in_rooms else []


def _within(wanted: AuditFilter) -> Conditions:
    found: Conditions = []
    if wanted.since is not None:
        found.append(events.c.at >= chain.microseconds(wanted.since))
    if wanted.until is not None:
        found.append(events.c.at < chain.microseconds(wanted.until))
    return found


async def _bounds(connection: AsyncConnection, wanted: AuditFilter) -> Conditions | None:
    """Between which rows the wanted time lies, but for events off the clock; None where there is no such row.

    `clock` never falls from row to row, and an event is off it or no further from it than LATE_MICROSECONDS.
    """
    first, last = select(events.c.row).limit(1), select(events.c.row).limit(1)
    first = first.order_by(events.c.clock, events.c.row)
    last = last.order_by(events.c.clock.desc(), events.c.row.desc())
    if wanted.since is not None:
        first = first.where(events.c.clock >= chain.microseconds(wanted.since) - LATE_MICROSECONDS)
    if wanted.until is not None:
        last = last.where(events.c.clock <= chain.microseconds(wanted.until) + LATE_MICROSECONDS)
    low, high = [(await connection.execute(one)).scalar() for one in (first, last)]
    return None if low is None or high is None else [events.c.row.between(low, high)]
