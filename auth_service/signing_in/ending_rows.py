"""Why sessions ended, in the database: kept for a while, for whoever comes with the token of one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import get_args

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.tables import endings
from shared.words.internal import Ending

KEPT = timedelta(days=90)


async def note(connection: AsyncConnection, token_hashes: Sequence[str], reason: Ending, now: datetime) -> None:
    """These ended just now."""
    if token_hashes:
        ended = [{"token_hash": one, "reason": reason, "ended_at": now} for one in token_hashes]
        await connection.execute(insert(endings), ended)


async def reason_of(connection: AsyncConnection, token_hash: str) -> Ending | None:
    """Why that one ended, as far as it is known."""
    found = (await connection.execute(select(endings.c.reason).where(endings.c.token_hash == token_hash))).scalar()
    return next((reason for reason in get_args(Ending) if reason == found), None)


async def drop_old(connection: AsyncConnection, now: datetime) -> None:
    """Forget the reasons of long ago."""
    await connection.execute(delete(endings).where(endings.c.ended_at <= now - KEPT))
