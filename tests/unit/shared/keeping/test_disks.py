"""A disk that takes nothing is told as that, with what to do first."""

import errno
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.keeping import disks


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, which is full soon."""
    words = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path)]
    if subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount a tmpfs")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_full_disk_is_full_and_one_with_room_is_not(small: Path) -> None:
    assert not disks.is_full(small)
    (small / "most").write_bytes(bytes(960 * 1024))
    assert disks.is_full(small)
    assert not disks.is_full(small / "nothing")


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "full"), (errno.EDQUOT, "no more"), (errno.EROFS, "for reading only"), (errno.EIO, "fails")],
)
def test_each_says_what_to_do(number: int, said: str) -> None:
    found = disks.fault(OSError(number, os.strerror(number)))
    assert found is not None
    assert said in found


def test_what_is_no_disks_fault_is_not_told_as_one() -> None:
    assert disks.fault(FileNotFoundError(errno.ENOENT, "x")) is None
    assert disks.fault(OSError("x")) is None


def test_what_sqlite_says_of_a_full_disk_is_known(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x") as database:
        database.executescript("PRAGMA max_page_count = 2; CREATE TABLE t (a)")
        with pytest.raises(sqlite3.OperationalError) as refused:
            database.execute("INSERT INTO t VALUES (zeroblob(100000))")
    database.close()
    assert disks.is_of_a_full_disk(refused.value)
    assert disks.is_of_a_full_disk(OSError(errno.ENOSPC, "x"))
    assert not disks.is_of_a_full_disk(sqlite3.OperationalError("x"))
