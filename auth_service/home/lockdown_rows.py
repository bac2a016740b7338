"""Whether the home is locked down, in the database: one row, on a connection of the caller's."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.tables import lockdown as table
from shared.words.internal import LockdownState

_STEP = timedelta(milliseconds=1)


async def read(connection: AsyncConnection) -> LockdownState:
    """What stands."""
    return await _read(connection, lock=False)


async def lock(connection: AsyncConnection) -> LockdownState:
    """What stands, and nobody else changes it until the transaction ends."""
    return await _read(connection, lock=True)


async def write(connection: AsyncConnection, before: LockdownState, *, active: bool, now: datetime) -> LockdownState:
    """What stands from now on.

    Its moment is later than the one before it, whatever became of the clock: rooms tell by it which word is the newer.
    """
    at = now if before.at is None else max(now, before.at + _STEP)
    await connection.execute(update(table).values(active=active, changed_at=at))
    return LockdownState(active=active, at=at)


async def _read(connection: AsyncConnection, *, lock: bool) -> LockdownState:
    query = select(table.c.active, table.c.changed_at)
    row = (await connection.execute(query.with_for_update() if lock else query)).one()
    return LockdownState(active=row.active, at=row.changed_at)
