"""A home's accounts as `homesystem init` leaves them, with nobody in them: the auth service begins none by itself."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from auth_service import config as auth_config
from auth_service.hub import accounts
from deploy.folder import home as homes
from deploy.folder.home import Home
from tests.house import make_home


def whole_home(folder: Path) -> Home:
    """A demo home with free ports, accounts and authorities of its own, as `homesystem init` leaves one."""
    made = make_home(folder)
    home = homes.create(made.var, made.settings)
    begin_accounts(home)
    homes.seal(home)
    return home


def begin_accounts(home: Home) -> None:
    """In a loop of its own, whether the caller's thread has one or not."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, _begin(home)).result()


async def _begin(home: Home) -> None:
    async with accounts.opened(auth_config.read(home.config("auth")), founding=True):
        pass
