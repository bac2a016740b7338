"""Sealed backups on another disk: by a passphrase alone a lost home comes back, without whoever was revoked since."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo import Demo
from tests.e2e.test_backup import is_admitted, taken

PASSPHRASE = "velvet otter seldom crosses 4 bridges"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("target") / "home", warm=True)
    assert made.command("init", "--demo").returncode == 0
    made.start()
    yield made
    made.stop()


def piped(house: Demo, *words: str, said: str = f"{PASSPHRASE}\n") -> "subprocess.CompletedProcess[str]":
    """A command that is told a passphrase on a pipe."""
    return subprocess.run(
        [sys.executable, "-m", "deploy", *words],
        input=said,
        env=house.environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def newest(disk: Path) -> Path:
    return max(disk.glob("homesystem-2*.age"))


def test_a_stolen_hub_comes_back_by_a_passphrase_and_a_stolen_pi_does_not(house: Demo) -> None:
    disk = house.var.parent / "disk"
    refused = house.command("backup", "target", str(disk))
    assert (refused.returncode, "First make a key" in refused.stderr) == (1, True)
    refused = piped(house, "backup", "key", "--passphrase", said="password1234\n")
    assert (refused.returncode, "passphrase" in refused.stderr) == (1, True)
    told = piped(house, "backup", "key", "--passphrase")
    assert told.returncode == 0, told.stderr
    told = house.command("backup", "target", str(disk))
    assert told.returncode == 0, told.stderr
    assert house.command("backup").returncode == 0
    told = piped(house, "backup", "verify")
    assert (told.returncode, "It can be restored." in told.stdout) == (0, True), told.stdout + told.stderr
    told = piped(house, "backup", "verify", said="another passphrase\n")
    assert (told.returncode, "not its passphrase" in told.stderr) == (1, True)
    told = house.command("doctor")
    assert f"the last backup at {disk} is less than a day old" in told.stdout

    identity, other = taken(house, "kitchen"), taken(house, "garage")
    assert is_admitted(house, identity, "kitchen")
    assert house.command("room", "revoke", "kitchen").returncode == 0
    users = house.users()
    house.stop()
    shutil.rmtree(house.var)
    archive = newest(disk)
    refused = house.command("restore", str(house.var.parent))
    assert (refused.returncode, "has no backup in it" in refused.stderr) == (1, True)
    refused = piped(house, "restore", str(archive), said="another passphrase\n")
    assert "not its passphrase" in refused.stderr
    assert not list(house.var.parent.glob(".*")), "what is refused leaves nothing"
    told = piped(house, "restore", str(disk))
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"The home of {archive} is back" in told.stdout
    assert "Revoked since, and so still: kitchen." in told.stdout
    house.start()
    assert house.users() == users
    assert not is_admitted(house, identity, "kitchen")
    assert is_admitted(house, other, "garage")
    assert house.command("audit", "verify").returncode == 0
    assert house.command("backup").returncode == 0, "where backups go is known as before"


def test_a_disk_that_is_away_hinders_no_revocation_and_the_next_backup_writes_it(house: Demo) -> None:
    disk = house.var.parent / "disk"
    identity = taken(house, "hall")
    away = disk.rename(house.var.parent / "unplugged")
    disk.mkdir()
    told = house.command("room", "revoke", "hall")
    assert (told.returncode, "It does not stand beside the backups yet" in told.stdout) == (0, True), told.stdout
    assert not is_admitted(house, identity, "hall")
    told = house.command("doctor")
    assert (told.returncode, "plug it in and mount it" in told.stdout) == (1, True)
    assert not list(disk.iterdir())
    disk.rmdir()
    away.rename(disk)
    archive = newest(disk)
    assert house.command("backup", "timed").returncode == 0
    house.stop()
    shutil.rmtree(house.var)
    told = piped(house, "restore", str(archive))
    assert "Revoked since, and so still: hall." in told.stdout, told.stderr
    house.start()
    assert not is_admitted(house, identity, "hall")


def test_without_the_list_it_asks_as_it_does_of_any_other(house: Demo) -> None:
    disk = house.var.parent / "disk"
    house.stop()
    shutil.rmtree(house.var)
    (disk / "homesystem-revoked.age").rename(disk / "aside")
    refused = piped(house, "restore", str(newest(disk)))
    assert (refused.returncode, "Nothing here says who was revoked" in refused.stderr) == (1, True)
    (disk / "homesystem-revoked.age").write_bytes((disk / "aside").read_bytes()[:-1])
    refused = piped(house, "restore", str(newest(disk)))
    assert (refused.returncode, "does not count" in refused.stdout) == (1, True), refused.stdout
    told = piped(house, "restore", str(newest(disk)), "--none-revoked")
    assert told.returncode == 0, told.stderr
    house.start()
