"""That nobody in a home passes for another by name, in SQL: the record and every letter say by it who did a thing."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.tables import users
from shared.words.naming import key
from shared.words.problem import HomeError


async def check(connection: AsyncConnection, name: str, *, of: str = "") -> None:
    """Whether somebody may be called so; `of`: the id of who has an account already.

    Raises HomeError("invalid-value"), of the field `name`, where another is called so or reads alike.
    """
    others = await connection.execute(select(users.c.name).where(users.c.id != of))
    if key(name) in {key(other) for other in others.scalars()}:
        raise HomeError(
            "invalid-value",
            "Somebody in this home is called so, or so that it reads alike. Choose another name.",
            field="name",
        )
