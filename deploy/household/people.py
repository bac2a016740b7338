"""Users, for the `homesystem` command: in the auth service's own database, whether it runs or not."""

import time
from collections.abc import Callable

from auth_service import config as auth_config
from auth_service.home import places
from auth_service.hub import accounts, named
from deploy.enrolling import enrol
from deploy.folder import home as homes
from shared.words.internal import Grant, User, UserRow
from shared.words.languages import Language
from shared.words.names import Role
from shared.words.problem import HomeError


async def add(
    home: homes.Home,
    *,
    email: str,
    name: str,
    password: str,
    role: Role,
    may: list[str],
    language: Language | None = None,
) -> None:
    """Add a user; `may` names a guest's devices as ROOM/DEVICE.

    Raises HomeError: invalid-value, already-exists, not-found (a room of `may`), unknown-device (also of a room that
    has not said yet what it has, as with any grant).
    """
    config = auth_config.read(home.config("auth"))
    grants = await _granted(config, may)
    async with accounts.opened(config, words=_words(home)) as book:
        await book.create_user(email=email, name=name, password=password, role=role, grants=grants, language=language)


async def check_new(home: homes.Home, *, email: str, name: str, role: Role, may: list[str]) -> None:
    """Whether `add` would add this user, whatever the password. Raises HomeError as it does."""
    config = auth_config.read(home.config("auth"))
    grants = await _granted(config, may)
    async with accounts.opened(config) as book:
        await book.check_newcomer(email=email, name=name, role=role, grants=grants)


async def check_there(home: homes.Home, email: str) -> None:
    """Raises HomeError("not-found") where nobody has this address."""
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        await book.check_there(email)


async def set_language(home: homes.Home, email: str, language: Language | None) -> None:
    """Letters in another language; None is the home's. Raises HomeError("not-found")."""
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        await book.set_language(email, language)


async def rows(home: homes.Home) -> tuple[UserRow, ...]:
    """Every user, the oldest first."""
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        return await book.list_users()


async def disable(home: homes.Home, email: str) -> None:
    """No sign-in from now on, and every session ends. Raises HomeError: not-found, last-master."""
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        await book.disable_user(email)


async def reset(home: homes.Home, email: str, password: str) -> None:
    """Another password, and every session ends. Raises HomeError: not-found, invalid-value."""
    async with accounts.opened(auth_config.read(home.config("auth")), words=_words(home)) as book:
        await book.set_password(email, password)


async def change_email(home: homes.Home, email: str, wanted: str) -> None:
    """Another address, and every session ends. Raises HomeError: not-found, invalid-value, already-exists."""
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        await book.change_email(email, wanted)


async def drop_factors(home: homes.Home, email: str) -> int:
    """Take every strong factor away; how many there were. Raises HomeError("not-found")."""
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        return await book.remove_factors(email)


async def erasable(home: homes.Home, email: str) -> User:
    """Whom `erase` would erase. Raises HomeError: not-found, invalid-value (the account may still sign in)."""
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        return await book.erasable(email)


async def erase(home: homes.Home, email: str, told: Callable[[int], None]) -> int:
    """Erase a person from the accounts and from the record; returns in how many rows, which `told` hears of meanwhile.

    Where it is interrupted once the account is gone, the alert service finishes it, as it does for the pages.
    Raises HomeError: not-found, invalid-value, no-proof.
    """
    # Not needed by any other command about people, and a third of what these would import.
    from alert_service import config as alerts_config
    from alert_service.record import erasing
    from alert_service.store import open_store

    store = await open_store(alerts_config.read(home.config("alerts")).database)
    try:
        async with accounts.opened(auth_config.read(home.config("auth"))) as book:
            gone = await book.erase_user(email)
        return await erasing.erase(store, user_id=gone.id, emails=gone.emails, now=time.time(), told=told)
    finally:
        await store.close()


async def _granted(config: auth_config.AuthConfig, may: list[str]) -> tuple[Grant, ...]:
    grants = tuple(Grant(room=room, device=device) for room, device in map(enrol.device_ref, may))
    for unheard in await named.check_places(config, (f"{grant.room}/{grant.device}" for grant in grants)):
        room, _, device = unheard.partition("/")
        raise HomeError("unknown-device", places.no_device(room, device, ()))
    return grants


def _words(home: homes.Home) -> tuple[str, ...]:
    """What a guesser of this home would try: the hub's names."""
    return (home.settings.name, *home.settings.former_names)
