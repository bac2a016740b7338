"""A letter goes when the record has nothing any more of what it tells (docs/privacy.md): it names who read it.

What still has to leave stays, with all that goes with it, and so does the newest daily letter, by which the next one is
known.
"""

from sqlalchemy import ColumnElement, delete, exists, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import chain
from alert_service.tables import dailies, deliveries, events, letters, tidings


def waits() -> ColumnElement[bool]:
    """Whether a letter still has to leave, by itself or within a digest."""
    digest = letters.alias("digest")
    open_states = ("waiting", "ready")
    unsent = exists().where(deliveries.c.letter.in_((letters.c.id, letters.c.digest)), deliveries.c.state == "pending")
    gathering = exists().where(digest.c.id == letters.c.digest, digest.c.state.in_(open_states))
    return or_(letters.c.state.in_(open_states), gathering, unsent)


async def forget(connection: AsyncConnection, limit: int) -> int:
    """Delete up to `limit` letters that are older than the record; how many those were."""
    first = (
        await connection.execute(select(events.c.row, events.c.received_at).order_by(events.c.row).limit(1))
    ).first()
    if first is None:
        return 0
    begins, member = chain.from_microseconds(first.received_at), letters.alias("member")
    newest = select(dailies.c.letter).order_by(dailies.c.day.desc()).limit(1).scalar_subquery()
    old = (
        select(letters.c.id)
        .where(
            letters.c.created_at < begins.timestamp(),
            func.coalesce(letters.c.intent, 0) < first.row,
            func.coalesce(letters.c.outcome, 0) < first.row,
            not_(waits()),
            # After those that it gathers.
            not_(exists().where(member.c.digest == letters.c.id)),
            or_(newest.is_(None), letters.c.id != newest),
        )
        .order_by(letters.c.id)
        .limit(limit)
    )
    gone = (await connection.execute(old)).scalars().all()
    if gone:
        for table in (deliveries, dailies, tidings):
            await connection.execute(delete(table).where(table.c.letter.in_(gone)))
        await connection.execute(delete(letters).where(letters.c.id.in_(gone)))
    return len(gone)
