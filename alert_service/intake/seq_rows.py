"""The sources' numbers in SQL: which are recorded, as spans, and which gaps were told of already."""

from collections.abc import Iterator
from itertools import zip_longest

import msgspec
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain.arrivals import OURSELVES
from alert_service.chain.spans import Span, read_spans
from alert_service.intake import gaps
from alert_service.tables import events, is_moment, is_number

LOOK_BACK_ROWS = 50_000
LOOK_BACK_DAYS = 8
"""Spools keep a week: nobody has an older event any more, and retention may have removed some of ours."""
_DAY_MICROSECONDS = 86_400_000_000


async def recorded(connection: AsyncConnection) -> list[tuple[str, int, int]]:
    """Per source the spans of what need not be asked for: all that is old, and what is recorded of the last days."""
    newest = (
        select(events.c.row, events.c.received_at)
        .where(is_moment(events.c.received_at))
        .order_by(events.c.row.desc())
        .limit(1)
    )
    head = (await connection.execute(newest)).first()
    if head is None:
        return []
    before = func.lag(events.c.seq).over(partition_by=events.c.source, order_by=events.c.seq)
    recent = (
        select(events.c.source, events.c.seq, before.label("before"))
        .where(events.c.row > head.row - LOOK_BACK_ROWS)
        .where(events.c.received_at > head.received_at - LOOK_BACK_DAYS * _DAY_MICROSECONDS)
        .where(*_numbered())
        .subquery()
    )
    starts = select(recent).where(or_(recent.c.before.is_(None), recent.c.seq > recent.c.before + 1))
    found = (await connection.execute(starts.order_by(recent.c.source, recent.c.seq))).all()
    ends = select(recent.c.source, func.max(recent.c.seq).label("last")).group_by(recent.c.source)
    recent_last = {one.source: one.last for one in (await connection.execute(ends)).all()}
    highest = select(events.c.source, func.max(events.c.seq)).where(*_numbered())
    last = (await connection.execute(highest.group_by(events.c.source))).all()
    return [
        *((source, seq, seq) for source, seq in last),
        *((source, 0, seq) for source, seq in last if source not in recent_last),
        *_spans([(one.source, one.seq, one.before) for one in found], recent_last),
        *await _told(connection),
    ]


async def between(connection: AsyncConnection, source: str, span: Span, limit: int) -> list[int]:
    """Recorded numbers of a source within a span."""
    wanted = select(events.c.seq).where(events.c.source == source, events.c.seq.between(*span))
    return list((await connection.execute(wanted.order_by(events.c.seq).limit(limit))).scalars())


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


def _numbered() -> tuple[ColumnElement[bool], ...]:
    """What others told with a number."""
    return events.c.source != OURSELVES, is_number(events.c.seq), events.c.seq > 0
