"""A room's machine forgets its home: asked for by name, finished by a second try, through no link."""

import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.folder.home import ROOT


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A room's home, and the scripts; the one that stops units says so."""
    scripts = tmp_path / "code" / "deploy"
    scripts.mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "empty-room.sh", scripts)
    dismiss = scripts / "dismiss.sh"
    dismiss.write_text(f"#!/bin/sh\n: >{tmp_path}/stopped\n")
    dismiss.chmod(0o755)
    home = tmp_path / "home"
    for name in ("agents", "data", "pki/hall", "log"):
        (home / name).mkdir(parents=True)
    (home / "agents" / "hall.toml").write_text("")
    (home / "pki" / "hall" / "room.key").write_text("a key")
    (tmp_path / "home.enabled").write_text("homesystem-agent@hall.service\n")
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "precious").write_text("another's")
    (home / "data" / "link").symlink_to(tmp_path / "others")
    (home / "link").symlink_to(tmp_path / "others")
    return tmp_path


def reset(machine: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = ["sh", str(machine / "code" / "deploy" / "empty-room.sh"), *words]
    environment = {"HOMESYSTEM_VAR": str(machine / "home"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=environment
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "sudo homesystem factory-reset --erase hall"),
        (("--erase", "kitchen"), "'kitchen' is not hall: nothing was erased"),
        (("--erase",), "nothing was erased"),
        (("hall",), "unknown: hall"),
    ],
)
def test_without_the_rooms_name_nothing_is_erased(machine: Path, words: tuple[str, ...], said: str) -> None:
    if words == ("--erase",):
        said = "cannot be taken back"
    refused = reset(machine, *words)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert (machine / "home" / "pki" / "hall" / "room.key").exists()
    assert not (machine / "stopped").exists()


def test_by_its_name_everything_of_the_room_goes_and_nothing_of_others(machine: Path) -> None:
    told = reset(machine, "--erase=hall")
    assert told.returncode == 0, told.stderr
    assert (machine / "stopped").exists()
    assert list((machine / "home").iterdir()) == []
    assert not (machine / "home.enabled").exists()
    assert (machine / "others" / "precious").exists()
    again = reset(machine, "--erase", "hall")
    assert again.returncode == 1
    assert "there is nothing to erase" in again.stderr


def test_what_was_begun_is_finished_unasked(machine: Path) -> None:
    (machine / "home" / "factory-reset.unfinished").write_text("")
    (machine / "home" / "agents" / "hall.toml").unlink()
    told = reset(machine)
    assert told.returncode == 0, told.stderr
    assert list((machine / "home").iterdir()) == []


def test_root_writes_through_no_link_that_lies_in_its_way(machine: Path) -> None:
    (machine / "home" / "factory-reset.unfinished").symlink_to(machine / "others" / "new")
    refused = reset(machine, "--erase", "hall")
    assert refused.returncode == 1
    assert "cannot be written" in refused.stderr
    assert not (machine / "others" / "new").exists()
