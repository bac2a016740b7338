"""Whose rights changed, or that the registry did, until every gateway was told: on a connection of the caller's."""

from typing import NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.tables import changed_rights

REGISTRY = "registry"
"""In the place of a user's id, which is never called so."""


class Changed(NamedTuple):
    """One change of one user's, by its number: a later one of the same user's is another."""

    number: int
    user_id: str


async def note(connection: AsyncConnection, user_id: str) -> None:
    """This user's rights changed in this transaction."""
    await connection.execute(insert(changed_rights).values(user_id=user_id))


async def note_registry(connection: AsyncConnection) -> None:
    """A master user changed the registry in this transaction."""
    await note(connection, REGISTRY)


async def untold(connection: AsyncConnection) -> tuple[Changed, ...]:
    """Changes that the gateways have not been told of, the oldest first."""
    rows = await connection.execute(select(changed_rights).order_by(changed_rights.c.id).limit(500))
    return tuple(Changed(row.id, row.user_id) for row in rows)


async def told(connection: AsyncConnection, changes: tuple[Changed, ...]) -> None:
    """The broker took the news of these."""
    numbers = [one.number for one in changes]
    await connection.execute(delete(changed_rights).where(changed_rights.c.id.in_(numbers)))
