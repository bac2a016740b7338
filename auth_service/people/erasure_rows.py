"""Whose account was erased and whom the record may still name, until the alert service has seen to that: in SQL.

A row is made in the transaction that erases the account, so that it stands there exactly where that was committed.
"""

from sqlalchemy import Column, String, Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.people import email_rows
from auth_service.tables import metadata
from shared.words.internal import User
from shared.words.internal_recipients import Erasure

erasures = Table(
    # Whose account is no more, with each address that they had.
    "erasures",
    metadata,
    Column("user_id", String(32), primary_key=True),
    Column("email", String(254), primary_key=True),
)


async def note(connection: AsyncConnection, user: User) -> Erasure:
    """This account is erased in this transaction: what has to go elsewhere."""
    emails = tuple(dict.fromkeys((user.email, *await email_rows.of(connection, user.id))))
    await connection.execute(insert(erasures), [{"user_id": user.id, "email": email} for email in emails])
    return Erasure(id=user.id, emails=emails)


async def unfinished(connection: AsyncConnection) -> tuple[Erasure, ...]:
    """Who is still to be erased from the record."""
    emails: dict[str, list[str]] = {}
    for row in await connection.execute(select(erasures).order_by(erasures.c.user_id, erasures.c.email)):
        emails.setdefault(row.user_id, []).append(row.email)
    return tuple(Erasure(id=user_id, emails=tuple(some)) for user_id, some in emails.items())


async def finish(connection: AsyncConnection, user_id: str) -> None:
    """The record has lost them; now nothing here knows of them any more."""
    await connection.execute(delete(erasures).where(erasures.c.user_id == user_id))
