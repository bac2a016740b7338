"""The history, newest first: what is recorded and what happened, merged, page by page, within what one may see."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import chain
from alert_service.happenings import keeping
from alert_service.history import acts, claims, happened, narrowing, start
from alert_service.history.happened import Spot
from alert_service.history.narrowing import Arm, Scope
from alert_service.history.start import Start
from alert_service.record.records import as_row
from alert_service.tables import events
from shared.words.internal_alerts import AuditFilter, AuditPage, AuditRecord, Happening
from shared.words.messages import AuditEvent

_EVERYTHING = AuditFilter()
_HAPPENING, _ACT = 0, 1
"""At the same moment the act is the newer."""

Place = tuple[int, int, int]
"""In the order of both: the moment in microseconds since 1970, which of the two, and its row or number."""


async def page(
    connection: AsyncConnection,
    scope: Scope,
    *,
    limit: int,
    after: int | str | None,
    wanted: AuditFilter = _EVERYTHING,
    happenings: Literal["none", "too", "only"] = "none",
    around: int | None = None,
) -> AuditPage:
    """Up to `limit` things older than the cursor `after`, or about row `around`, that are in `scope` and `wanted`."""
    head = await acts.head(connection)
    arms = narrowing.arms(scope, wanted)
    begin = await (
        start.after(connection, after)
        if around is None
        else start.around(connection, arms if happenings != "none" else (), wanted, around)
    )
    places: list[Place] = []
    if happenings != "only":
        places += await _acts(connection, arms, wanted, begin, limit + 1)
    if happenings != "none":
        spots = await happened.newest(connection, arms, wanted, limit=limit + 1, before=begin.before)
        places += [(spot.at, _HAPPENING, spot.number) for spot in spots]
    places.sort(reverse=True)
    shown = places[:limit]
    return AuditPage(
        events=await _records(connection, [number for _, kind, number in shown if kind == _ACT]),
        happenings=await _happenings(connection, [Spot(at, n) for at, kind, n in shown if kind == _HAPPENING]),
        next=_cursor(shown[-1]) if len(places) > limit else None,
        head=head,
        newest=await keeping.newest(connection) if happenings != "none" else 0,
    )


def _cursor(last: Place) -> str:
    moment, kind, number = last
    return str(number) if kind == _ACT else f"{moment}.{number}"


async def _acts(
    connection: AsyncConnection, arms: Sequence[Arm], wanted: AuditFilter, begin: Start, limit: int
) -> list[Place]:
    rows = await acts.newest(connection, arms, wanted, limit=limit, below=begin.below)
    clocks = select(events.c.clock, events.c.row).where(events.c.row.in_(rows))
    return [(one.clock, _ACT, one.row) for one in (await connection.execute(clocks)).all()] if rows else []


async def _records(connection: AsyncConnection, numbers: Sequence[int]) -> tuple[AuditRecord, ...]:
    if not numbers:
        return ()
    chosen = select(events).where(events.c.row.in_(numbers)).order_by(events.c.row.desc())
    rows = [as_row(one) for one in (await connection.execute(chosen)).all()]
    marked = await claims.with_claims(connection, rows)
    return tuple(_record(row, event) for row, event in zip(rows, marked, strict=True))


async def _happenings(connection: AsyncConnection, spots: Sequence[Spot]) -> tuple[Happening, ...]:
    if not spots:
        return ()
    found = await happened.read(connection, spots)
    return tuple(found[spot.number] for spot in spots if spot.number in found)


def _record(row: chain.Row, event: AuditEvent) -> AuditRecord:
    fields = {name: getattr(event, name) for name in AuditEvent.__struct_fields__}
    return AuditRecord(**fields, row=row.row, hash=row.hash, source=row.source, received_at=row.received_at)
