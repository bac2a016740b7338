"""A restore beside other commands, and one that is left, by Ctrl-C or a lost connection: all is done or nothing."""

import asyncio
import datetime as dt
import itertools
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from auth_service import config as auth_config
from auth_service.hub import accounts
from deploy.archives import backup
from deploy.folder import home as homes
from deploy.folder import turns
from deploy.running import demo
from deploy.safekeeping import keeping
from tests import killed, warm
from tests.house import DEADLINE
from tests.unit.deploy.safekeeping.test_settling import refused

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home, and its backup."""
    folder = tmp_path_factory.mktemp("left")
    asyncio.run(demo.create(folder / "home"))
    backup.write(folder / "home", folder / "b.tar.gz", NOW)
    shutil.copytree(folder / "home", folder / "as-it-was", symlinks=True)
    return folder


@pytest.fixture
def made(kept: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path in kept.glob("home*"):
        shutil.rmtree(path)
    shutil.copytree(kept / "as-it-was", kept / "home", symlinks=True)
    monkeypatch.setenv("HOMESYSTEM_VAR", str(kept / "home"))
    return kept


def test_who_was_being_revoked_meanwhile_does_not_come_back(made: Path) -> None:
    home = homes.find(made / "home")

    async def revoke() -> None:
        async with accounts.opened(auth_config.read(home.config("auth"))) as book:
            await book.revoke_identity("kitchen")

    with turns.turn(home.var, "homesystem room revoke kitchen"):
        restoring = warm.Popen(
            [sys.executable, "-m", "deploy", "restore", str(made / "b.tar.gz"), "--replace"],
            env=os.environ,
            cwd=homes.ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert restoring.stderr is not None
        assert restoring.stderr.readline().startswith("Waiting for homesystem room revoke kitchen")
        asyncio.run(revoke())
        home.authority().revoke("kitchen")
    said, complained = restoring.communicate(timeout=DEADLINE)
    assert restoring.returncode == 0, said + complained
    assert "Revoked since, and so still: kitchen." in said
    assert refused(made) == {"kitchen"}


def test_a_folder_with_nothing_but_the_lock_in_it_is_an_empty_one(made: Path) -> None:
    shutil.rmtree(made / "home")
    (made / "home").mkdir()
    code, _ = killed.at_write(lambda: keeping.restore(made / "b.tar.gz", none_revoked=True), made, 0)
    assert code == 0
    assert (made / "home" / "home.toml").exists()
    assert not list(made.glob("home.before-*"))


def test_left_anywhere_all_of_it_is_done_or_nothing(made: Path) -> None:
    def bring_back() -> None:
        keeping.restore(made / "b.tar.gz", replace=True, none_revoked=True)

    def mark() -> None:
        """What is there is not what the backup has."""
        for path in made.glob("home.before-*"):
            shutil.rmtree(path)
        (made / "home" / "newer").touch()

    mark()
    code, writes = killed.at_write(bring_back, made, 0)
    assert (code, writes > 100) == (0, True)
    # The last ones are those at which one home takes another's place: each of them is tried, and some before.
    moments = itertools.chain([writes // 2], itertools.count(writes - 4))
    done = 0
    for moment, by in zip(moments, itertools.cycle([signal.SIGHUP, signal.SIGINT]), strict=False):
        mark()
        code, _ = killed.at_write(bring_back, made, moment, by=by)
        assert (made / "home" / "home.toml").exists(), moment
        assert (made / "home" / "newer").exists() == bool(code), moment
        assert bool(list(made.glob("home.before-*"))) == (not code), moment
        assert not list(made.glob(".*")), moment
        assert code in ((0,) if done else (0, 1)), "there is no way back from where there was none before"
        done += not code
        if done == 3:  # before the one rename, before the other, and after both
            break
