"""One command at a time, and the others say what they wait for."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.folder import turns
from tests.house import DEADLINE

HOLDER = """
import sys
from pathlib import Path
from deploy.folder import turns
with turns.turn(Path(sys.argv[1]), sys.argv[2]):
    print("has it", flush=True)
    sys.stdin.read()
"""


def command(var: Path, what: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    arguments = [sys.executable, "-c", HOLDER, str(var), what]
    return subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_the_second_command_waits_and_says_for_what(tmp_path: Path) -> None:
    with command(tmp_path, "homesystem room add hall") as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "has it\n"
        with command(tmp_path, "homesystem room revoke hall") as second:
            assert second.stderr is not None
            assert second.stdout is not None
            assert second.stderr.readline() == f"Waiting for homesystem room add hall (process {first.pid}) to end …\n"
            first.communicate(timeout=DEADLINE)
            assert second.stdout.readline() == "has it\n"
            second.communicate(timeout=DEADLINE)


def test_a_command_that_was_killed_keeps_nobody_waiting(tmp_path: Path) -> None:
    with command(tmp_path, "homesystem renew") as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "has it\n"
        first.kill()
        first.wait(DEADLINE)
    with turns.turn(tmp_path, "homesystem rights"):
        assert (tmp_path / "turn.lock").stat().st_mode & 0o777 == 0o600


def test_who_waited_has_the_turn_of_the_home_that_lies_there_by_then(tmp_path: Path) -> None:
    """A restore puts another home in the place of that in which a command waits."""
    home = tmp_path / "home"
    home.mkdir()
    with turns.turn(home, "homesystem restore"):
        second = command(home, "homesystem room revoke hall")
        assert second.stderr is not None
        assert second.stdout is not None
        assert second.stderr.readline().startswith("Waiting for homesystem restore")
        home.rename(tmp_path / "aside")
        home.mkdir()
    with second:
        assert second.stdout.readline() == "has it\n"
        assert (home / "turn.lock").read_text() == f"homesystem room revoke hall (process {second.pid})\n"
        second.communicate(timeout=DEADLINE)


def test_taking_it_twice_is_a_mistake_that_is_said(tmp_path: Path) -> None:
    with (
        turns.turn(tmp_path, "homesystem renew"),
        pytest.raises(RuntimeError, match="already"),
        turns.turn(tmp_path, "x"),
    ):
        pass
    with turns.turn(tmp_path, "homesystem renew"):
        pass


def test_a_disk_that_is_full_keeps_nobody_from_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever revokes a stolen room must not be stopped by a line that is for those who wait."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with turns.turn(tmp_path, "homesystem room revoke hall"), command(tmp_path, "homesystem renew") as second:
        assert second.stderr is not None
        assert second.stderr.readline() == "Waiting for another command to end …\n"
        second.kill()
