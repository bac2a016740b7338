"""What is made in a folder that hands its group on is the group's, too; elsewhere it stays its owner's alone."""

import asyncio
import os
import stat
from pathlib import Path

import pytest

from deploy.pki.files import write
from shared.keeping import notes, sharing
from shared.keeping.database import Plan, open_store
from shared.proof.spool import Spool
from shared.words.noted import BackupMade


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    made = tmp_path / "shared"
    made.mkdir()
    made.chmod(0o2770)
    return made


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_a_spool_and_its_journals_are_both_sides_to_write_whatever_the_umask(shared: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        for folder, mode in ((shared, 0o660), (tmp_path, 0o600)):
            spool = Spool(folder / "spool.sqlite3", source="auth")
            spool.probe()
            found = modes(folder)
            spool.close()
            assert {found[f"spool.sqlite3{end}"] for end in ("", "-wal", "-shm")} == {mode}
    finally:
        os.umask(before)


def test_keys_are_read_by_the_group_and_written_by_nobody_else(shared: Path, tmp_path: Path) -> None:
    write(shared / "one.key", b"secret", 0o600)
    write(tmp_path / "one.key", b"secret", 0o600)
    assert modes(shared) == {"one.key": 0o640}
    assert modes(tmp_path)["one.key"] == 0o600


def test_what_the_command_leaves_for_the_page_can_be_read_there(shared: Path) -> None:
    import datetime as dt

    notes.write(shared, BackupMade(at=dt.datetime.now(dt.UTC), size=1))
    assert modes(shared) == {"backup.json": 0o640}


def test_what_a_program_closed_is_opened_and_links_are_left(shared: Path, tmp_path: Path) -> None:
    closed, elsewhere = shared / "mosquitto.db", tmp_path / "elsewhere"
    for path in (closed, elsewhere):
        path.touch(mode=0o600)
    (shared / "link").symlink_to(elsewhere)
    sharing.share_all(shared)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o660
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600
    sharing.share_all(tmp_path)
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600, "that folder is nobody else's"


def test_a_database_is_both_sides_to_write(shared: Path, tmp_path: Path) -> None:
    for folder in (shared, tmp_path):
        plan = Plan("none", folder, "a.toml", "already-exists", log_refusals=False)
        with pytest.raises(Exception, match=r"."):  # it has no migrations; the file is there by then
            asyncio.run(open_store(f"sqlite+aiosqlite:///{folder / 'a.sqlite3'}", plan))
    assert modes(shared)["a.sqlite3"] == 0o660
    assert modes(tmp_path)["a.sqlite3"] == 0o600
