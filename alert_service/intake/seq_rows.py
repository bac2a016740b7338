"""The sources' numbers in SQL: which are recorded, as spans, and which gaps were told of already.

Acts and happenings of one source share its numbers.
"""

from collections.abc import Iterator
from itertools import zip_longest

import msgspec
from sqlalchemy import ColumnElement, CompoundSelect, Table, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain.arrivals import OURSELVES
from alert_service.chain.spans import Span, read_spans
from alert_service.intake import gaps
from alert_service.tables import events, happenings, is_moment, is_number, passed

LOOK_BACK_ROWS = 50_000
LOOK_BACK_DAYS = 8
"""Spools keep a week: nobody has an older event any more, and retention may have removed some of ours."""
_DAY_MICROSECONDS = 86_400_000_000
_BESIDE = (happenings, passed)
_NUMBERED = (events, *_BESIDE)


async def recorded(connection: AsyncConnection) -> list[tuple[str, int, int]]:
    """Per source the spans of what need not be asked for: all that is old, and what is recorded of the last days."""
    at = await _newest(connection)
    if at is None:
        return []
    known = _recent(at - LOOK_BACK_DAYS * _DAY_MICROSECONDS).subquery()
    before = func.lag(known.c.seq).over(partition_by=known.c.source, order_by=known.c.seq)
    recent = select(known.c.source, known.c.seq, before.label("before")).subquery()
    starts = select(recent).where(or_(recent.c.before.is_(None), recent.c.seq > recent.c.before + 1))
    found = (await connection.execute(starts.order_by(recent.c.source, recent.c.seq))).all()
    ends = select(recent.c.source, func.max(recent.c.seq).label("last")).group_by(recent.c.source)
    recent_last = {one.source: one.last for one in (await connection.execute(ends)).all()}
    last = await _highest(connection)
    return [
        *((source, seq, seq) for source, seq in last.items()),
        *((source, 0, seq) for source, seq in last.items() if source not in recent_last),
        *_spans([(one.source, one.seq, one.before) for one in found], recent_last),
        *await _told(connection),
    ]


async def between(connection: AsyncConnection, source: str, span: Span, limit: int) -> list[int]:
    """Recorded numbers of a source within a span."""
    parts = [select(table.c.seq).where(table.c.source == source, table.c.seq.between(*span)) for table in _NUMBERED]
    wanted = union_all(*parts).subquery()
    return list((await connection.execute(select(wanted.c.seq).order_by(wanted.c.seq).limit(limit))).scalars())


async def _newest(connection: AsyncConnection) -> int | None:
    """When the newest of all came, in microseconds since 1970."""
    act = select(events.c.received_at).where(is_moment(events.c.received_at))
    act = act.order_by(events.c.row.desc()).limit(1)
    others = (select(func.max(table.c.received_at)).where(is_moment(table.c.received_at)) for table in _BESIDE)
    found = [(await connection.execute(one)).scalar() for one in (act, *others)]
    return max((at for at in found if at is not None), default=None)


def _recent(since: int) -> CompoundSelect[str, int]:
    """Source and number of what came after `since`, of each table the newest few."""
    last_row = select(func.coalesce(func.max(events.c.row), 0)).scalar_subquery()
    act = select(events.c.source, events.c.seq).where(
        events.c.row > last_row - LOOK_BACK_ROWS, events.c.received_at > since, *_numbered(events)
    )
    others = []
    for table in _BESIDE:
        newest = select(table.c.source, table.c.seq).where(table.c.received_at > since, *_numbered(table))
        few = newest.order_by(table.c.received_at.desc()).limit(LOOK_BACK_ROWS).subquery()
        others.append(select(few.c.source, few.c.seq))
    return union_all(act, *others)


async def _highest(connection: AsyncConnection) -> dict[str, int]:
    """The highest number of each source."""
    found: dict[str, int] = {}
    for table in _NUMBERED:
        highest = select(table.c.source, func.max(table.c.seq)).where(*_numbered(table)).group_by(table.c.source)
        for source, seq in (await connection.execute(highest)).all():
            found[source] = max(seq, found.get(source, 0))
    return found


def _spans(starts: list[tuple[str, int, int | None]], last: dict[str, int]) -> Iterator[tuple[str, int, int]]:
    """Each start names the end of the span before it; the last span of a source ends with its highest number."""
    for (source, first, before), following in zip_longest(starts, starts[1:]):
        if before is None:
            yield source, 0, first
        end = following[2] if following is not None and following[0] == source else None
        yield source, first, end if end is not None else last[source]


async def _told(connection: AsyncConnection) -> list[tuple[str, int, int]]:
    own = select(events.c.place, events.c.detail).where(events.c.source == OURSELVES, events.c.what == gaps.MISSING)
    found = (await connection.execute(own.order_by(events.c.row.desc()).limit(LOOK_BACK_ROWS // 10))).all()
    return [(one.place, *span) for one in found for text in _numbers(one.detail) for span in read_spans(text)]


def _numbers(detail: str) -> list[str]:
    """The texts in which a report names numbers; none where a hand spoiled it: then these are asked for once more."""
    try:
        told = msgspec.json.decode(detail, type=dict[str, str])
    except msgspec.MsgspecError:
        return []
    return [text for name, text in told.items() if name.partition("-")[0] == gaps.NUMBERS]


def _numbered(table: Table) -> tuple[ColumnElement[bool], ...]:
    """What others told with a number."""
    return table.c.source != OURSELVES, is_number(table.c.seq), table.c.seq > 0
