"""Whether a password may be somebody's new one, by the words of this home as they stand now."""

from collections.abc import Iterable

from auth_service.home import room_rows
from auth_service.people import password_policy
from shared.keeping.database import Store
from shared.words.internal import User
from shared.words.problem import HomeError


async def check(store: Store, password: str, user: User, home_words: Iterable[str]) -> None:
    """`home_words` are the settings' own; the rooms' names count as well. Raises invalid-value with `field` "new"."""
    async with store.read() as connection:
        rooms = await room_rows.names(connection)
    try:
        password_policy.check(password, email=user.email, name=user.name, home_words=(*home_words, *rooms))
    except HomeError as error:
        raise HomeError(error.slug, error.detail, field="new") from error
