"""Live sessions in lists: whose there are, and from where they are used."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.signing_in.session_rows import Limits, live
from auth_service.tables import sessions, users
from shared.words.internal import SessionRow


async def used_from(connection: AsyncConnection, since: datetime, *, limits: Limits, now: datetime) -> set[str]:
    """From which addresses live sessions of people who may sign in were used last, since then."""
    found = await connection.execute(
        select(sessions.c.seen_from)
        .distinct()
        .join(users, users.c.id == sessions.c.user_id)
        .where(live(limits, now), sessions.c.seen_at >= since, users.c.disabled_at.is_(None))
    )
    return set(found.scalars())


async def rows_of(
    connection: AsyncConnection, user_id: str, *, limits: Limits, now: datetime
) -> tuple[SessionRow, ...]:
    """A user's live sessions, newest first."""
    rows = await connection.execute(
        select(sessions)
        .where(sessions.c.user_id == user_id, live(limits, now))
        .order_by(sessions.c.created_at.desc(), sessions.c.id)
    )
    return tuple(
        SessionRow(
            id=row.id,
            user_id=row.user_id,
            created_at=row.created_at,
            seen_at=row.seen_at,
            expires_at=min(row.expires_at, row.seen_at + limits.of(own=row.own)[0]),
            address=row.address,
            agent=row.agent,
            own=row.own,
        )
        for row in rows
    )
