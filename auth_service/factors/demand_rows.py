"""Whether everyone has to have a strong factor, in the database: one row, on a connection of the caller's."""

from sqlalchemy import Boolean, Column, ColumnElement, Integer, Table, and_, exists, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.tables import factors, metadata, users

demands = Table(
    # One row, from the beginning: what a master user demands of everyone.
    "demands",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("strong_factor", Boolean, nullable=False),
)


def owes(user_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Of a user in a statement: a strong factor is demanded, and they have none."""
    has = exists().where(factors.c.user_id == user_id, factors.c.confirmed)
    return and_(select(demands.c.strong_factor).scalar_subquery(), not_(has))


async def read(connection: AsyncConnection, *, lock: bool = False) -> bool:
    """Whether it is demanded; `lock`: nobody changes that until the transaction ends."""
    query = select(demands.c.strong_factor)
    return bool((await connection.execute(query.with_for_update() if lock else query)).scalar_one())


async def write(connection: AsyncConnection, *, demanded: bool) -> None:
    """From now on."""
    await connection.execute(update(demands).values(strong_factor=demanded))


async def without(connection: AsyncConnection) -> tuple[str, ...]:
    """Who has none, by their ids, disabled ones included."""
    has = exists().where(factors.c.user_id == users.c.id, factors.c.confirmed)
    return tuple((await connection.execute(select(users.c.id).where(not_(has)))).scalars())
