"""A home's accounts as `homesystem init` leaves them, with nobody in them: the auth service begins none by itself."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from auth_service import accounts
from auth_service import config as auth_config
from deploy.home import Home


def begin_accounts(home: Home) -> None:
    """In a loop of its own, whether the caller's thread has one or not."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, _begin(home)).result()


async def _begin(home: Home) -> None:
    async with accounts.opened(auth_config.read(home.config("auth")), founding=True):
        pass
