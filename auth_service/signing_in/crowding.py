"""How many sessions one person has at once, in SQL: a sign-in past that ends the one unused for the longest."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.signing_in import session_rows
from auth_service.tables import sessions

MOST = 50
"""So many live at once (ASVS 7.1.2): a list that can still be looked through."""


async def make_room(connection: AsyncConnection, user_id: str, now: datetime) -> tuple[str, ...]:
    """Before another session of theirs begins: the ids of those that end for it.

    Hold the user's row, so that two that begin at once are counted after one another.
    """
    mine = select(sessions.c.id).where(sessions.c.user_id == user_id)
    crowd = mine.order_by(sessions.c.seen_at.desc(), sessions.c.created_at.desc(), sessions.c.id).offset(MOST - 1)
    over = tuple((await connection.execute(crowd)).scalars())
    if over:
        await session_rows.end_those(connection, sessions.c.id.in_(over), "crowded", now)
    return over
