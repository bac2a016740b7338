"""From where people signed in, in the database: digests alone, forgotten when they were not used for long."""

from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.tables import places

KEPT = timedelta(days=90)
MOST = 50
"""Of one user: whoever signs in from more places than these hears of the oldest again."""


async def visit(connection: AsyncConnection, user_id: str, place_hash: str, now: datetime) -> bool:
    """Remember a place; whether it was known."""
    mine = places.c.user_id == user_id, places.c.place_hash == place_hash
    seen = await connection.execute(update(places).where(*mine, places.c.seen_at > now - KEPT).values(seen_at=now))
    if seen.rowcount:
        return True
    await connection.execute(delete(places).where(*mine))
    await connection.execute(insert(places).values(user_id=user_id, place_hash=place_hash, seen_at=now))
    kept = select(places.c.place_hash).where(places.c.user_id == user_id).order_by(places.c.seen_at.desc()).limit(MOST)
    newest = (await connection.execute(kept)).scalars().all()
    await connection.execute(delete(places).where(places.c.user_id == user_id, places.c.place_hash.not_in(newest)))
    return False


async def drop_expired(connection: AsyncConnection, now: datetime) -> None:
    """Forget what nobody used for long."""
    await connection.execute(delete(places).where(places.c.seen_at <= now - KEPT))
