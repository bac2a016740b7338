"""What rooms' descriptions would loosen, and what the master user refused of it: on a connection of the caller's."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.home.registry import Loosening
from auth_service.tables import identities, loosenings, refused_loosenings


class Waits(NamedTuple):
    """A loosening, and since when it waits."""

    room: str
    loosening: Loosening
    since: datetime


async def everything(connection: AsyncConnection) -> tuple[Waits, ...]:
    """What enrolled rooms would loosen."""
    rows = await connection.execute(
        select(loosenings)
        .join(identities, identities.c.name == loosenings.c.room)
        .where(identities.c.revoked_at.is_(None))
    )
    return tuple(sorted(Waits(row.room, _loosening(row), row.seen_at) for row in rows))


async def of_room(connection: AsyncConnection, room: str) -> tuple[Loosening, ...]:
    """What one room would loosen."""
    rows = await connection.execute(select(loosenings).where(loosenings.c.room == room))
    return tuple(sorted(_loosening(row) for row in rows))


async def replace(connection: AsyncConnection, room: str, wanted: tuple[Loosening, ...], now: datetime) -> None:
    """Exactly these wait from now on, each since it began to; a room that is strict again asks for nothing any more."""
    rows = await connection.execute(select(loosenings).where(loosenings.c.room == room))
    since = {_loosening(row): row.seen_at for row in rows}
    await connection.execute(delete(loosenings).where(loosenings.c.room == room))
    if wanted:
        values = [_values(room, one) | {"seen_at": since.get(one, now)} for one in wanted]
        await connection.execute(insert(loosenings), values)


async def refused(connection: AsyncConnection, room: str) -> frozenset[Loosening]:
    """What the master user refused one room."""
    rows = await connection.execute(select(refused_loosenings).where(refused_loosenings.c.room == room))
    return frozenset(_loosening(row) for row in rows)


async def refuse(connection: AsyncConnection, room: str, unwanted: Iterable[Loosening], now: datetime) -> None:
    """These are not asked for again."""
    values = [_values(room, one) | {"refused_at": now} for one in unwanted]
    await connection.execute(insert(refused_loosenings), values)


def _values(room: str, one: Loosening) -> dict[str, Any]:
    return {"room": room, "device": one.device, "field": one.field, "stands": one.stands, "wanted": one.wanted}


def _loosening(row: Row[*tuple[Any, ...]]) -> Loosening:
    return Loosening(device=row.device, field=row.field, stands=row.stands, wanted=row.wanted)
