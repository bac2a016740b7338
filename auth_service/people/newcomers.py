"""Whether somebody may get an account: asked before they choose a password, and again as the account is made."""

import secrets

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.people import distinct_names, user_rows
from auth_service.people.account_fields import checked_email, checked_name
from auth_service.people.grants import checked_grants
from shared.words.internal import Grant, User
from shared.words.languages import Language
from shared.words.names import Role
from shared.words.problem import HomeError


def read(
    *, email: str, name: str, role: Role, grants: tuple[Grant, ...], language: Language | None
) -> tuple[User, tuple[Grant, ...]]:
    """The user, under a new id, and their grants, as both are kept. Raises HomeError("invalid-value")."""
    user = User(
        id=secrets.token_hex(8), name=checked_name(name), email=checked_email(email), role=role, language=language
    )
    if grants and role is not Role.GUEST:
        raise HomeError("invalid-value", "Grants are for guests; members and master users use every room.")
    return user, checked_grants(grants)


async def check(connection: AsyncConnection, user: User) -> None:
    """Whether there is room for this user.

    Raises HomeError: last-master (the first must be a master), already-exists (the address), invalid-value (the name).
    """
    if user.role is not Role.MASTER and await user_rows.count_masters(connection) == 0:
        raise HomeError("last-master", "The first user of a home must be a master user.")
    if await user_rows.find(connection, user.email) is not None:
        raise HomeError("already-exists", "A user with this e-mail address exists.")
    await distinct_names.check(connection, user.name)
