"""Where a page begins: one order for acts and happenings, and the cursor that names a place in it.

An act stands where it was recorded (`clock`, which never falls from row to row), a happening where it happened; at the
same moment the act is the newer. A cursor is the last thing of a page: `ROW` of an act, `MICROSECONDS.NUMBER` of a
happening. Everything older than it comes next, whatever was told meanwhile.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.history import happened
from alert_service.history.happened import Spot
from alert_service.history.narrowing import Arm
from alert_service.tables import events
from shared.words.internal_alerts import AuditFilter

_NEWER = 10
"""What stands above a row that was asked for: so many acts and so many happenings at most."""


class Start(NamedTuple):
    """What a page has at most: rows below `below`, happenings before `before`; None where nothing bounds them."""

    below: int | None = None
    before: Spot | None = None


async def after(connection: AsyncConnection, cursor: int | str | None) -> Start:
    """What is older than the cursor; None is older than nothing."""
    if cursor is None:
        return Start()
    first, _, number = str(cursor).partition(".")
    if number:
        return Start(await _first_row_since(connection, int(first)), Spot(int(first), int(number)))
    return Start(int(first), await _until_row(connection, int(first)))


async def around(connection: AsyncConnection, arms: Sequence[Arm], wanted: AuditFilter, row: int) -> Start:
    """So that the page has the row, and above it a few of what is newer."""
    top = Start(row + _NEWER + 1, await _until_row(connection, row + _NEWER + 1))
    clock = (await connection.execute(select(events.c.clock).where(events.c.row == row))).scalar()
    if clock is None:
        return top
    newer = await happened.next_after(connection, arms, wanted, limit=_NEWER, after=clock)
    if len(newer) < _NEWER or (top.before is not None and newer[-1] >= top.before):
        return top
    first = await _first_row_since(connection, newer[-1].at)
    return Start(top.below if first is None or top.below is None else min(first, top.below), newer[-1])


async def _until_row(connection: AsyncConnection, row: int) -> Spot | None:
    """What happened until that row was recorded, or the next one that is still there."""
    found = select(events.c.clock).where(events.c.row >= row).order_by(events.c.row).limit(1)
    clock = (await connection.execute(found)).scalar()
    return None if clock is None else happened.is_at_most(clock)


async def _first_row_since(connection: AsyncConnection, moment: int) -> int | None:
    found = select(events.c.row).where(events.c.clock >= moment).order_by(events.c.clock, events.c.row).limit(1)
    return (await connection.execute(found)).scalar()
