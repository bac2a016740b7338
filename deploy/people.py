"""Users, for the `homesystem` command: added and listed in the auth service's own database, whether it runs or not."""

from auth_service import accounts
from auth_service import config as auth_config
from deploy import enrol
from deploy import home as homes
from shared.internal import Grant, UserRow
from shared.names import Role


async def add(home: homes.Home, *, email: str, name: str, password: str, role: Role, may: list[str]) -> None:
    """Add a user; `may` names a guest's devices as ROOM/DEVICE. Raises HomeError: invalid-value, already-exists."""
    grants = tuple(Grant(room=room, device=device) for room, device in map(enrol.device_ref, may))
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        await book.create_user(email=email, name=name, password=password, role=role, grants=grants)


async def rows(home: homes.Home) -> tuple[UserRow, ...]:
    """Every user, the oldest first."""
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        return await book.list_users()
