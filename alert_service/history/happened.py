"""Happenings in SQL for readers: the newest ones that one may see and wants to, and the last of each place.

Each question is a few ranges of indexes that end in the time: where only a room or a place is given, one range for each
of the few kinds that there are.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Row, and_, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import chain
from alert_service.history import narrowing
from alert_service.history.narrowing import Arm
from alert_service.tables import happenings
from shared.words.happenings import PASSING
from shared.words.internal_alerts import AuditFilter, Happening

_KINDS = tuple(sorted(PASSING))

Conditions = list[ColumnElement[bool]]


class Spot(NamedTuple):
    """Where a happening stands among all of them: its moment in microseconds since 1970, and its number."""

    at: int
    number: int


async def newest(
    connection: AsyncConnection, arms: Sequence[Arm], wanted: AuditFilter, *, limit: int, before: Spot | None
) -> list[Spot]:
    """The newest ones before that spot, at most `limit`, the newest first."""
    more = [*_within(wanted), *([_is_before(before)] if before is not None else [])]
    return sorted(await _some(connection, arms, wanted, more, limit, newest_first=True), reverse=True)[:limit]


async def next_after(
    connection: AsyncConnection, arms: Sequence[Arm], wanted: AuditFilter, *, limit: int, after: int
) -> list[Spot]:
    """The oldest ones later than that moment, at most `limit`, the oldest first."""
    more = [*_within(wanted), happenings.c.at > after]
    return sorted(await _some(connection, arms, wanted, more, limit, newest_first=False))[:limit]


async def read(connection: AsyncConnection, spots: Sequence[Spot]) -> dict[int, Happening]:
    """These happenings, by their numbers."""
    found = select(happenings).where(happenings.c.number.in_([one.number for one in spots]))
    return {one.number: _told(one) for one in (await connection.execute(found)).all()}


async def last(connection: AsyncConnection, places: Sequence[str]) -> list[Happening]:
    """The newest happening of each of these places that has one."""
    newest_of: dict[str, Spot] = {}
    ranges = itertools.product(dict.fromkeys(places), _KINDS)
    for some in narrowing.batches(ranges):
        parts = []
        for place, kind in some:
            one = select(happenings.c.place, happenings.c.at, happenings.c.number)
            one = one.where(happenings.c.place == place, happenings.c.what == kind)
            parts.append(select(one.order_by(happenings.c.at.desc(), happenings.c.number.desc()).limit(1).subquery()))
        for found in (await connection.execute(union_all(*parts))).all():
            spot = Spot(found.at, found.number)
            newest_of[found.place] = max(spot, newest_of.get(found.place, spot))
    kept = await read(connection, list(newest_of.values())) if newest_of else {}
    return [kept[one.number] for one in newest_of.values() if one.number in kept]


def is_at_most(moment: int) -> Spot:
    """The spot before which everything is that happened until that moment, the moment included."""
    return Spot(moment + 1, 0)


async def _some(
    connection: AsyncConnection,
    arms: Sequence[Arm],
    wanted: AuditFilter,
    more: Conditions,
    limit: int,
    *,
    newest_first: bool,
) -> set[Spot]:
    found: set[Spot] = set()
    at, number = happenings.c.at, happenings.c.number
    order = (at.desc(), number.desc()) if newest_first else (at, number)
    for some in narrowing.batches(_ranges(arms, wanted)):
        parts = [
            select(select(at, number).where(*conditions, *more).order_by(*order).limit(limit).subquery())
            for conditions in some
        ]
        found.update(Spot(*one) for one in (await connection.execute(union_all(*parts))).all())
    return found


def _ranges(arms: Sequence[Arm], wanted: AuditFilter) -> Iterator[Conditions]:
    """Nobody did them, and they did not end: whoever asks for a person or an end asks for none of them."""
    if wanted.outcome is not None:
        return
    kinds = [kind for kind in _KINDS if wanted.what is None or narrowing.is_like(kind, wanted.what)]
    for arm in arms:
        if arm.user is not None:
            continue
        if arm.room is None and arm.place is None and wanted.what is None:
            yield []  # whether in rooms or anywhere: they all are in rooms
            continue
        where: Conditions = [happenings.c.room == arm.room] if arm.room is not None else []
        where += [happenings.c.place == arm.place] if arm.place is not None else []
        yield from ([*where, happenings.c.what == kind] for kind in kinds)


def _within(wanted: AuditFilter) -> Conditions:
    found: Conditions = []
    if wanted.since is not None:
        found.append(happenings.c.at >= chain.microseconds(wanted.since))
    if wanted.until is not None:
        found.append(happenings.c.at < chain.microseconds(wanted.until))
    return found


def _is_before(spot: Spot) -> ColumnElement[bool]:
    at, number = happenings.c.at, happenings.c.number
    return and_(at <= spot.at, or_(at < spot.at, number < spot.number))


def _told(row: Row[tuple[object, ...]]) -> Happening:
    return Happening(
        number=row.number,
        source=row.source,
        id=row.id,
        what=row.what,
        where=row.place,
        at=chain.from_microseconds(row.at),
        until=chain.from_microseconds(row.until),
        received_at=chain.from_microseconds(row.received_at),
        times=row.times,
        event=row.event,
    )
