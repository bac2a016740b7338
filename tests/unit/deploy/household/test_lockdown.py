"""`homesystem lockdown` where nothing of the home runs: what it says, and what it leaves for when it does."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from auth_service import config
from auth_service.home import lockdown_rows
from auth_service.store import open_store
from deploy.folder import home as homes
from deploy.household import lockdown
from shared.proof.spool import Spool
from shared.words.internal import LockdownState
from tests.begun import home_that_never_ran

Run = Callable[..., str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> homes.Home:
    """A home that was set up and never ran."""
    return home_that_never_ran(tmp_path, monkeypatch)


@pytest.fixture
def run(home: homes.Home) -> Run:
    """Runs one order; its words on one line."""

    def order(name: str) -> str:
        done = CliRunner().invoke(lockdown.app, [name])
        if done.exception is not None:
            raise done.exception
        return " ".join(done.output.split())

    return order


def stands(home: homes.Home) -> LockdownState:
    """What the database holds."""

    async def read() -> LockdownState:
        store = await open_store(config.read(home.config("auth")).database)
        async with store.read() as connection:
            state = await lockdown_rows.read(connection)
        await store.close()
        return state

    return asyncio.run(read())


def events(home: homes.Home) -> list[tuple[str, str]]:
    """What waits in auth's spool."""
    with contextlib.closing(Spool(config.read(home.config("auth")).spool)) as spool:
        return [(event.what, event.who.issuer) for event in spool.pending(10)]


def test_it_begins_and_ends_with_everything_away_and_says_so(home: homes.Home, run: Run) -> None:
    away = "No broker is running here: rooms and gateways are told once it and the auth service run."
    assert run("show") == "The home is not locked down: there never was a lockdown."
    begun = run("begin")
    assert begun.startswith("The home is locked down, and everyone is signed out: since 20")
    assert begun.endswith(away)
    assert stands(home).active
    assert run("show").startswith("The home is locked down: since 20")
    assert run("begin").startswith("The home was locked down already: since 20")
    assert run("end") == f"The lockdown is over. {away}"
    ended = stands(home)
    assert not ended.active
    assert events(home) == [("home:locked-down", "admin"), ("home:lockdown-ended", "admin")]
    assert run("end").startswith("The home was not locked down; that is said anew.")
    again = stands(home)
    assert ended.at is not None
    assert again.at is not None
    assert again.at > ended.at
    assert len(events(home)) == 2


def test_a_full_disk_stops_the_end_and_not_the_beginning(home: homes.Home, run: Run) -> None:
    run("show")
    spool = config.read(home.config("auth")).spool
    with contextlib.closing(sqlite3.connect(spool)) as direct:
        direct.execute("CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
    assert "No proof of it could be written, so no letter goes out: free space on the hub's disk." in run("begin")
    assert stands(home).active
    with pytest.raises(Exception, match="no-proof"):
        run("end")
    assert stands(home).active
