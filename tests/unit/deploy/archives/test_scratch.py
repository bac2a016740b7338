"""Folders full of keys go with their maker, however that ended, and nobody else's go with them."""

import os
import signal
from pathlib import Path

import pytest

from deploy.archives import scratch


def test_it_is_its_owners_alone_and_gone_afterwards(tmp_path: Path) -> None:
    with scratch.made(tmp_path, ".work-") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "key").write_text("secret")
    assert not list(tmp_path.iterdir())


def test_it_is_gone_after_an_error_and_kept_where_it_was_renamed(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch.made(tmp_path, ".work-"):
        raise ZeroDivisionError
    with scratch.made(tmp_path, ".work-") as folder:
        folder.rename(tmp_path / "home")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_what_a_power_cut_left_goes_with_the_next_and_what_is_in_use_stays(tmp_path: Path) -> None:
    reading_end, writing_end = os.pipe()
    if (pid := os.fork()) == 0:
        with scratch.made(tmp_path, ".work-") as folder:
            os.write(writing_end, folder.name.encode())
            signal.pause()
    name = os.read(reading_end, 100).decode()
    with scratch.made(tmp_path, ".work-"):
        assert (tmp_path / name).is_dir(), "its maker lives"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert (tmp_path / name).is_dir()
    (tmp_path / ".work-file").write_text("no folder of ours")
    (tmp_path / ".work-link").symlink_to("/etc")
    with scratch.made(tmp_path, ".work-") as folder:
        assert {path.name for path in tmp_path.iterdir()} == {".work-file", ".work-link", folder.name}
