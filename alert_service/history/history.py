"""The recorded events, newest first, in SQL: pages by cursor, within what one may see and wants to see.

Every question is answered along indexes that end in the row (`_ranges`), so a page costs as little among a million
events as among a hundred, whether its filter fits all of them or none.
"""

import itertools
from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Column, ColumnElement, Select, and_, func, literal_column, or_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import chain
from alert_service.chain.sources import is_trusted, speaks_for
from alert_service.history import narrowing
from alert_service.history.narrowing import Arm, Scope
from alert_service.record.records import as_row
from alert_service.tables import LATE_MICROSECONDS, OFF_CLOCK, events
from shared.words.internal_alerts import AuditFilter, AuditPage, AuditRecord
from shared.words.messages import AuditEvent
from shared.words.names import Outcome, is_gateway

CLAIMED_BY = "claimed_by"
"""In an event's detail: the room whose word alone it is that this person did it, or that it happened elsewhere."""
_EVERYTHING = AuditFilter()
_ARMS_AT_ONCE = 100
"""SQLite takes 500 parts in a union, PostgreSQL plans them one by one."""
_NOTHING: ColumnElement[str] = literal_column(
    "''"
)  # not bound: a partial index is used only where its condition is literally there
_IN_ROOMS, _ELSEWHERE = events.c.room != _NOTHING, events.c.room == _NOTHING

Conditions = list[ColumnElement[bool]]


async def page(
    connection: AsyncConnection, scope: Scope, *, limit: int, after: int | None, wanted: AuditFilter = _EVERYTHING
) -> AuditPage:
    """Up to `limit` events older than row `after` that are in `scope` and `wanted`."""
    newest = await head(connection)
    arms = narrowing.arms(scope, wanted)
    found = (await _newest(connection, arms, wanted, limit=limit + 1, after=after)) if arms else []
    numbers = found[:limit]
    chosen = select(events).where(events.c.row.in_(numbers)).order_by(events.c.row.desc())
    rows = [as_row(one) for one in (await connection.execute(chosen)).all()] if numbers else []
    shown = await _with_claims(connection, rows)
    records = tuple(_record(row, event) for row, event in zip(rows, shown, strict=True))
    return AuditPage(events=records, next=str(numbers[-1]) if len(found) > limit else None, head=newest)


async def head(connection: AsyncConnection) -> int:
    """The newest row; 0 before the first."""
    return (await connection.execute(select(func.max(events.c.row)))).scalar() or 0


async def _newest(
    connection: AsyncConnection, arms: Sequence[Arm], wanted: AuditFilter, *, limit: int, after: int | None
) -> list[int]:
    """The newest rows, at most `limit`, that are in one of the arms and fit the rest of what is wanted."""
    below: Conditions = [events.c.row < after] if after is not None else []
    at = _within(wanted)
    ranges: list[Conditions] = []
    bounds = await _bounds(connection, wanted) if at else []
    if bounds is not None:
        within = [*below, *at, *bounds]
        ranges = [[*conditions, *within] for conditions in _ranges(arms, wanted.outcome)]
    found: set[int] = set()
    if at:
        found.update((await connection.execute(_off_clock(arms, wanted, [*at, *below], limit))).scalars())
    for some in _batches(ranges):
        parts = [select(_first(conditions, limit).subquery().c.row) for conditions in some]
        found.update((await connection.execute(union(*parts))).scalars())
    return sorted(found, reverse=True)[:limit]


def _first(conditions: Conditions, limit: int) -> Select[int]:
    return select(events.c.row).where(*conditions).order_by(events.c.row.desc()).limit(limit)


def _off_clock(arms: Sequence[Arm], wanted: AuditFilter, more: Conditions, limit: int) -> Select[int]:
    """What arrived late, by its own index: `||` and `+ 0` keep SQLite from taking another, which holds far more."""
    either = or_(
        *(
            and_(OFF_CLOCK, *(column.concat("") == value for column, value in _named(arm)), *_in_rooms(arm))
            for arm in arms
        )
    )
    only = [] if wanted.outcome is None else [events.c.outcome.concat("") == wanted.outcome.value]
    found = select(events.c.row).where(OFF_CLOCK, either, *only, *more)
    return found.order_by((events.c.row + 0).desc()).limit(limit)


def _ranges(arms: Sequence[Arm], outcome: Outcome | None) -> Iterator[Conditions]:
    """One range of one index each: what is equal, how it ended, and whether it was in a room, which splits an index."""
    outcomes = tuple(Outcome) if outcome is None else (outcome,)
    for arm in arms:
        if arm == Arm() and outcome is None:
            yield []
            continue
        split: list[Conditions] = [[]]
        if arm.room is None and arm.place is None:
            split = [[_IN_ROOMS]] if arm.in_rooms else [[_IN_ROOMS], [_ELSEWHERE]]
        for where, ended in itertools.product(split, outcomes):
            yield [*_equal(arm), events.c.outcome == ended.value, *where]


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


def _batches(ranges: Sequence[Conditions]) -> Iterator[Sequence[Conditions]]:
    for start in range(0, len(ranges), _ARMS_AT_ONCE):
        yield ranges[start : start + _ARMS_AT_ONCE]


def _record(row: chain.Row, event: AuditEvent) -> AuditRecord:
    fields = {name: getattr(event, name) for name in AuditEvent.__struct_fields__}
    return AuditRecord(**fields, row=row.row, hash=row.hash, source=row.source, received_at=row.received_at)


async def _with_claims(connection: AsyncConnection, rows: Sequence[chain.Row]) -> list[AuditEvent]:
    """The events, marked where a room alone says who it was and no gateway confirms it, or speaks of other rooms."""
    of_rooms = [row for row in rows if not is_trusted(row.source)]
    claims = [row for row in of_rooms if row.event.who.user is not None or not speaks_for(row.source, row.event)]
    claimed = {row.row for row in claims}
    confirmed = await _confirmed(connection, [row for row in claims if row.event.command_id])
    return [
        _marked(row.event, row.source if row.row in claimed and _person(row.event) not in confirmed else None)
        for row in rows
    ]


async def _confirmed(connection: AsyncConnection, claims: Sequence[chain.Row]) -> set[tuple[str | None, ...]]:
    wanted = {row.event.command_id for row in claims if is_gateway(row.event.who.issuer)}
    if not wanted:
        return set()
    said = select(events.c.issuer, events.c.command_id, events.c.place, events.c.user_id, events.c.user_name)
    said = said.where(events.c.command_id.in_(wanted), events.c.source == events.c.issuer)
    return {tuple(one) for one in (await connection.execute(said)).all() if is_gateway(one.issuer)}


def _person(event: AuditEvent) -> tuple[str | None, ...]:
    user = event.who.user
    named = (user.id, user.name) if user is not None else (None, None)
    return (event.who.issuer, event.command_id, event.where, *named)


def _marked(event: AuditEvent, claimant: str | None) -> AuditEvent:
    """The mark is ours alone: a room that writes one itself would put its own act on another."""
    detail = {name: value for name, value in event.detail.items() if name != CLAIMED_BY}
    if claimant is not None:
        detail[CLAIMED_BY] = claimant
    return event if detail == event.detail else msgspec.structs.replace(event, detail=detail)
