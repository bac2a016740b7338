"""Checks the table, in SQL: batch after batch, in bounded memory, whether the service writes meanwhile or not.

Called by the service's own check and by `homesystem audit verify`.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import chain, erasures, forms, removal
from alert_service.chain.arrivals import OURSELVES
from alert_service.chain.chain import Broken, Verdict
from alert_service.chain.forms import Flat
from alert_service.chain.removal import Day, Start
from alert_service.chain.spans import Spans
from alert_service.record import mending, records
from alert_service.tables import days, events
from shared.keeping.database import Store
from shared.words.languages import later
from shared.words.names import Outcome
from shared.words.problem import HomeError

BATCH = 500
"""Rows that are read at once: a question costs as much as a hundred rows, more than these are no faster."""
_AT_ONCE = 50
"""Rows that are checked before others have their turn: the loop of a running service is held for half a millisecond."""


class Extent(NamedTuple):
    """The rows that there are; both 0 for an empty table."""

    first: int
    last: int


async def extent(connection: AsyncConnection) -> Extent:
    """From which row to which the table goes."""
    found = (await connection.execute(select(func.min(events.c.row), func.max(events.c.row)))).one()
    return Extent(found[0] or 0, found[1] or 0)


async def removed(connection: AsyncConnection) -> list[Day]:
    """The removed days, in the order of their rows."""
    found = await connection.execute(select(days).order_by(days.c.last_row))
    return [Day._make(one) for one in found.all()]


async def walk(store: Store, *, from_row: int = 1, rest: float = 0.0, batch: int = BATCH) -> AsyncIterator[Verdict]:
    """Check the table from `from_row` to its end; a verdict after every batch, the last one is the result.

    `rest` is how many seconds to leave to others between two batches. A removed day is no fault where its record
    joins; from a later row on, that row's own word about the one before it is where the check begins.
    """
    async with store.read() as connection:
        gone = await removed(connection)
        broken = removal.fault(gone) or await _unproven(connection, gone)
        begin = await _begin(connection, gone, from_row)
        broken = broken or await _misplaced(connection, gone)
    start = Verdict(row=begin.row, head=begin.head, broken=broken, clock=None if begin.row else 0)
    yield start
    async for verdict in _on(store, start, rest, batch):
        yield verdict


async def extend(store: Store, sound: Verdict, *, rest: float = 0.0, batch: int = BATCH) -> AsyncIterator[Verdict]:
    """Go on from the row that was found sound last; that row must still be there as it was, or be a removed one."""
    start = await _still_there(store, sound)
    yield start
    async for verdict in _on(store, start, rest, batch):
        yield verdict


async def _on(store: Store, verdict: Verdict, rest: float, batch: int) -> AsyncIterator[Verdict]:
    while verdict.broken is None:
        step = await _step(store, verdict, batch)
        if step is None:
            return
        verdict = step
        yield verdict
        await asyncio.sleep(rest)


async def _step(store: Store, verdict: Verdict, batch: int) -> Verdict | None:
    """One batch; None at the end."""
    try:
        async with store.read() as connection:
            found = await connection.execute(_rows(verdict.row, batch))
            flat = [Flat._make(one) for one in found.all()]
    except (HomeError, ValueError):
        # Something that the database itself cannot read as what its column is: which row is it?
        if batch > 1:
            return await _step(store, verdict, batch // 8 or 1)
        return await _unreadable(store, verdict)
    if not flat:
        return None
    erased = await _erased(store) if any(map(forms.is_bare, flat)) else Spans()
    made = verdict
    for first in range(0, len(flat), _AT_ONCE):
        await asyncio.sleep(0)
        made = chain.verify_flat(flat[first : first + _AT_ONCE], made, erased)
        if made.broken is not None:
            break
    if made.broken is not None:
        # Not where rows of a removed day were deleted under our feet: then the chain goes on after them.
        async with store.read() as connection:
            gone = await removed(connection)
            broken = removal.fault(gone) or await _unproven(connection, gone)
            begin = await _begin(connection, gone, from_row=1)
        if begin.row > verdict.row:
            return Verdict(row=begin.row, head=begin.head, broken=broken)
        return await _past_loss(store, made) or made
    return made


async def _past_loss(store: Store, made: Verdict) -> Verdict | None:
    """Behind rows that are missing, where the record itself tells that exactly these were lost (mending.py)."""
    async with store.read() as connection:
        end = next((last for first, last in await mending.lost(connection) if first == made.row + 1), None)
        if end is None:
            return None
        found = await connection.execute(
            select(events.c.row, events.c.previous).where(events.c.row > made.row).order_by(events.c.row).limit(1)
        )
        follows = found.first()
    if follows is None or follows.row != end + 1:
        return None
    return Verdict(row=end, head=follows.previous)


async def _erased(store: Store) -> Spans:
    """The rows of which the record tells that a person was erased from them; that telling is itself checked in turn."""
    wanted = select(events.c.row, events.c.detail).where(
        events.c.place == OURSELVES,
        events.c.outcome == Outcome.EXECUTED.value,
        events.c.source == OURSELVES,
        events.c.what == erasures.PERSON_ERASED,
    )
    try:
        async with store.read() as connection:
            found = (await connection.execute(wanted)).all()
    except HomeError:
        return Spans()  # one of them cannot be read: then it vouches for nothing, and is found itself
    return erasures.told((one.row, one.detail) for one in found)


async def _unreadable(store: Store, verdict: Verdict) -> Verdict | None:
    next_one = select(events.c.row).where(events.c.row > verdict.row).order_by(events.c.row).limit(1)
    async with store.read() as connection:
        number = (await connection.execute(next_one)).scalar()
    if number is None:
        return None
    broken = Broken(row=number, reason=later("was changed: the database itself cannot read it"))
    return Verdict(row=verdict.row, head=verdict.head, broken=broken)


def _rows(after: int, most: int) -> Select[Any]:
    return select(events).where(events.c.row > after).order_by(events.c.row).limit(most)


async def _begin(connection: AsyncConnection, gone: list[Day], from_row: int) -> Start:
    """After the removed days, or before `from_row`; rows of a day whose removal is still under way are checked, too."""
    start = removal.start(gone)
    first = (await extent(connection)).first
    if gone and gone[-1].first_row <= first <= start.row:
        from_row = max(from_row, first)
    elif from_row <= start.row + 1:
        return start
    previous = (await connection.execute(select(events.c.previous).where(events.c.row == from_row))).scalar()
    if previous is None:
        raise HomeError("not-found", f"There is no row {from_row}.")
    return Start(from_row - 1, previous)


async def _misplaced(connection: AsyncConnection, gone: list[Day]) -> Broken | None:
    """What stands before the first row, or among the days whose removal is over."""
    first = gone[-1].first_row if gone else 1
    found = (await connection.execute(select(func.min(events.c.row)).where(events.c.row < first))).scalar()
    return Broken(row=found, reason=later("stands where no row belongs")) if found is not None else None


async def _unproven(connection: AsyncConnection, gone: list[Day]) -> Broken | None:
    if not gone:
        return None
    found = (await records.rows(connection, [gone[-1].told_in])).get(gone[-1].told_in)
    return removal.unproven(gone, found.source if found else "", found.event if found else None)


async def _still_there(store: Store, verdict: Verdict) -> Verdict:
    async with store.read() as connection:
        last = select(events.c.hash, events.c.clock).where(events.c.row == verdict.row)
        found = (await connection.execute(last)).first()
        begin = await _begin(connection, await removed(connection), from_row=1)
    if begin.row > verdict.row:
        return Verdict(row=begin.row, head=begin.head)
    if found is not None and found.hash == verdict.head:
        return msgspec.structs.replace(verdict, clock=found.clock)
    if (begin.row, begin.head) == (verdict.row, verdict.head):
        return verdict
    reason = (
        later("is missing: the table was truncated or rolled back") if found is None else later("was replaced since")
    )
    return Verdict(row=verdict.row, head=verdict.head, broken=Broken(row=verdict.row, reason=reason))
