"""Whether somebody is a master user, for all that only these may do: the gateway has looked, and so do we."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.people import user_rows
from shared.words.internal import User
from shared.words.names import Role
from shared.words.problem import HomeError

Refusal = Callable[[], HomeError]
"""Makes "forbidden", with what only a master user may do."""


async def held(connection: AsyncConnection, user_id: str, refusal: Refusal) -> User:
    """The enabled master user of that id, who stays one until the transaction ends.

    Raises `refusal`.
    """
    return await known(connection, user_id, refusal, lock=True)


async def known(connection: AsyncConnection, user_id: str, refusal: Refusal, *, lock: bool = False) -> User:
    """The same as of now."""
    row = await user_rows.row_of(connection, user_id, lock=lock)
    if row is None or row.disabled or row.user.role is not Role.MASTER:
        raise refusal()
    return row.user
