"""A home's accounts as `homesystem init` leaves them, with nobody in them: the auth service begins none by itself."""

import asyncio

from auth_service import accounts
from auth_service import config as auth_config
from deploy.home import Home


def begin_accounts(home: Home) -> None:
    """To be called outside of a running loop."""
    asyncio.run(_begin(home))


async def _begin(home: Home) -> None:
    async with accounts.opened(auth_config.read(home.config("auth"))):
        pass
