"""A home's accounts as `homesystem init` leaves them, with nobody in them: the auth service begins none by itself."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from auth_service import config as auth_config
from auth_service.hub import accounts
from deploy.folder import home as homes
from deploy.folder.home import Home
from tests.claimed import free_port
from tests.house import make_home


def whole_home(folder: Path) -> Home:
    """A demo home with free ports, accounts and authorities of its own, as `homesystem init` leaves one."""
    made = make_home(folder)
    home = homes.create(made.var, made.settings)
    begin_accounts(home)
    homes.seal(home)
    return home


def home_that_never_ran(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A demo home that is set up, but for its accounts; commands of this process find it, and no broker that runs."""
    monkeypatch.setenv("HOMESYSTEM_VAR", str(folder))
    settings = homes.Settings(
        demo=True,  # and nowhere where somebody's own home may run
        https_port=free_port(),
        mqtt_port=free_port(),
        smtp_port=free_port(),
        auth_port=free_port(),
        alerts_port=free_port(),
        readings_port=free_port(),
    )
    for name, port in settings.ports.items():
        monkeypatch.setenv(name, str(port))
    home = homes.create(folder, settings)
    homes.lay_out(home)
    homes.seal(home)
    return home


def begin_accounts(home: Home) -> None:
    """In a loop of its own, whether the caller's thread has one or not."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, _begin(home)).result()


async def _begin(home: Home) -> None:
    async with accounts.opened(auth_config.read(home.config("auth")), founding=True):
        pass
