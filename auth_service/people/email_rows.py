"""Addresses in the database: another one that somebody wants, and those that people had."""

import secrets
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Column, ForeignKey, Row, String, Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.people import user_rows
from auth_service.tables import Moment, former_addresses, metadata, users
from shared.words.internal import User

email_changes = Table(
    # Another address that somebody wants, in one session: it goes with that, whyever that ends.
    "email_changes",
    metadata,
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("email", String(254), nullable=False),
    Column("expires_at", Moment, nullable=False),
)


class Wanted(msgspec.Struct, frozen=True):
    """A change under way, and until when it can be confirmed."""

    email: str
    expires_at: datetime


class Former(msgspec.Struct, frozen=True):
    """An address that was `user`'s."""

    id: str
    email: str
    user: User


async def want(connection: AsyncConnection, session_id: str, wanted: Wanted) -> None:
    """One change under way in a session; the former one is void."""
    await connection.execute(delete(email_changes).where(email_changes.c.session_id == session_id))
    await connection.execute(
        insert(email_changes).values(session_id=session_id, email=wanted.email, expires_at=wanted.expires_at)
    )


async def wanted(connection: AsyncConnection, session_id: str, now: datetime) -> Wanted | None:
    """The one under way in a session."""
    mine = select(email_changes).where(email_changes.c.session_id == session_id, email_changes.c.expires_at > now)
    row = (await connection.execute(mine)).first()
    return None if row is None else Wanted(row.email, row.expires_at)


async def take(connection: AsyncConnection, session_id: str, what: Wanted) -> bool:
    """Use it up; False where it was used, or is another by now."""
    same = email_changes.c.email == what.email, email_changes.c.expires_at == what.expires_at
    gone = delete(email_changes).where(email_changes.c.session_id == session_id, *same)
    return (await connection.execute(gone)).rowcount == 1


async def drop_expired(connection: AsyncConnection, now: datetime) -> None:
    """Forget changes that nobody confirmed in time."""
    await connection.execute(delete(email_changes).where(email_changes.c.expires_at <= now))


async def note_former(connection: AsyncConnection, user_id: str, email: str, now: datetime) -> None:
    """An address is somebody's no more; whoever reads there is to be told."""
    await connection.execute(
        insert(former_addresses).values(id=secrets.token_hex(8), user_id=user_id, email=email, changed_at=now)
    )


async def untold(connection: AsyncConnection, since: datetime) -> tuple[Former, ...]:
    """Those that no letter went to yet, of changes since then, the oldest first."""
    found = await connection.execute(
        select(former_addresses.c.id.label("former_id"), former_addresses.c.email.label("former_email"), users)
        .join(users, users.c.id == former_addresses.c.user_id)
        .where(former_addresses.c.told_at.is_(None), former_addresses.c.changed_at > since)
        .order_by(former_addresses.c.changed_at, former_addresses.c.id)
    )
    return tuple(_former(row) for row in found)


async def told(connection: AsyncConnection, former_id: str, now: datetime) -> None:
    """A letter went there, or the mail server wants none for it."""
    await connection.execute(update(former_addresses).where(former_addresses.c.id == former_id).values(told_at=now))


async def of(connection: AsyncConnection, user_id: str) -> tuple[str, ...]:
    """Which addresses somebody had before, the oldest first."""
    mine = select(former_addresses.c.email).where(former_addresses.c.user_id == user_id)
    rows = await connection.execute(mine.order_by(former_addresses.c.changed_at, former_addresses.c.id))
    return tuple(rows.scalars())


def _former(row: Row[*tuple[Any, ...]]) -> Former:
    return Former(row.former_id, row.former_email, user_rows.user_of(row))
