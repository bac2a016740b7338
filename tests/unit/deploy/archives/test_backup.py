"""One archive of a home: whole or not at all, consistent under writes; and what is no backup changes nothing."""

import datetime as dt
import gzip
import io
import os
import sqlite3
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.archives import backup, packing
from deploy.safekeeping import restore
from shared.running.config import ConfigError
from shared.words.problem import HomeError

NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """A small home."""
    made = tmp_path / "homesystem"
    for name in ("data", "secrets", "log"):
        (made / name).mkdir(parents=True)
    (made / "home.toml").write_text('name = "hub"\n')
    for name in ("auth", "alerts"):
        (made / f"{name}.toml").write_text(f'database = "sqlite+aiosqlite:///{made}/data/{name}.sqlite3"\n')
    (made / "secrets" / "key").write_text("secret")
    (made / "secrets" / "key").chmod(0o600)
    (made / "log" / "auth.log").write_text("a line")
    with sqlite3.connect(made / "data" / "alerts.sqlite3") as database:
        database.executescript("PRAGMA journal_mode = WAL; CREATE TABLE event (seq INTEGER PRIMARY KEY, twin INTEGER)")
    database.close()
    return made


def as_it_is(_folders: dict[str, Path], _label: backup.Label) -> None:
    """Nothing ended since."""


def names(archive: Path) -> list[str]:
    with tarfile.open(archive) as packed:
        return packed.getnames()


def test_it_holds_what_a_home_needs_and_its_owner_alone_reads_it(var: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.tar.gz"
    backup.write(var, target, NOW)
    assert target.stat().st_mode & 0o777 == 0o600
    assert set(names(target)) == {
        "backup.toml",
        "home/home.toml",
        "home/auth.toml",
        "home/alerts.toml",
        "home/secrets/key",
        "home/data/alerts.sqlite3",
    }
    assert not list(var.glob(".backup-*"))


def test_what_another_user_is_to_read_is_left_to_it(var: Path) -> None:
    inside = "services/broker/mosquitto"
    (var / inside).mkdir(parents=True)
    (var / inside / "mosquitto.db").touch()
    (var / "services/broker/mosquitto.conf").touch()
    whole, without = set(packing.files(var)), set(packing.files(var, inside))
    assert whole - without == {var / inside / "mosquitto.db"}


def test_a_file_with_a_long_name_comes_back_in_its_place(var: Path, tmp_path: Path) -> None:
    long = f"parts/gateway/data/gateway-templates/{'0' * 90}"
    (var / long).parent.mkdir(parents=True)
    (var / long).write_text("deep")
    backup.write(var, tmp_path / "b.tar.gz", NOW)
    assert f"home/{long}" in names(tmp_path / "b.tar.gz")
    restore.put_back(tmp_path / "b.tar.gz", var, NOW, as_it_is)
    assert (var / long).read_text() == "deep"


def test_the_signers_folder_goes_with_it(var: Path, tmp_path: Path) -> None:
    (tmp_path / "homesystem-signer").mkdir()
    (tmp_path / "homesystem-signer" / "issued.json").write_text("{}")
    backup.write(var, tmp_path / "b.tar.gz", NOW)
    assert "signer/issued.json" in names(tmp_path / "b.tar.gz")


def test_a_database_is_whole_while_others_write_it(var: Path, tmp_path: Path) -> None:
    """Twins are written in one transaction: a copy that has one without the other is torn."""
    path, stop = var / "data" / "alerts.sqlite3", threading.Event()

    def write() -> None:
        database = sqlite3.connect(path, isolation_level=None, timeout=30)
        number = 0
        while not stop.is_set():
            number += 2
            database.execute("BEGIN IMMEDIATE")
            database.execute("INSERT INTO event VALUES (?, ?)", (number, number + 1))
            database.execute("INSERT INTO event VALUES (?, ?)", (number + 1, number))
            database.execute("COMMIT")
        database.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for attempt in range(10):
            copy = tmp_path / f"copy{attempt}"
            packing.copy_database(path, copy)
            assert copy.stat().st_mode & 0o777 == 0o600
            database = sqlite3.connect(copy)
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            alone = "SELECT count(*) FROM event e WHERE NOT EXISTS (SELECT 1 FROM event t WHERE t.seq = e.twin)"
            assert database.execute(alone).fetchone() == (0,)
            database.close()
    finally:
        stop.set()
        writer.join()


def test_what_cannot_be_copied_leaves_no_archive(var: Path, tmp_path: Path) -> None:
    (var / "data" / "auth.sqlite3").write_bytes(b"SQLite format 3\0 and then nothing of the kind")
    with pytest.raises(HomeError, match="could not be copied"):
        backup.write(var, tmp_path / "b.tar.gz", NOW)
    assert not [path for path in tmp_path.iterdir() if "tar" in path.name]


@pytest.mark.parametrize("what", ["link", "pipe"])
@pytest.mark.parametrize("name", ["alerts.sqlite3", "notes"])
def test_what_took_a_files_place_just_now_is_not_read(
    var: Path, tmp_path: Path, name: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that was broken into has its folder, and who packs may read what it may not."""
    secret = tmp_path / "auth.sqlite3"
    with sqlite3.connect(secret) as database:
        database.execute("CREATE TABLE secret (hash)")
    database.close()
    path = var / "data" / name
    listed = [path]
    path.unlink(missing_ok=True)
    if what == "link":
        path.symlink_to(secret)
    else:
        os.mkfifo(path)
    monkeypatch.setattr(packing, "files", lambda *_: listed)
    with pytest.raises(HomeError, match="no plain file any more"):
        packing.pack(var, io.BytesIO())


def test_what_took_a_databases_place_while_it_was_opened_is_not_copied(
    var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, secret = var / "data" / "alerts.sqlite3", tmp_path / "secret.sqlite3"
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect
    with connect(secret) as database:
        database.execute("CREATE TABLE secret (hash)")
    database.close()

    def swapped(*words: Any, **more: Any) -> sqlite3.Connection:
        path.unlink()
        path.symlink_to(secret)
        return connect(*words, **more)

    monkeypatch.setattr(sqlite3, "connect", swapped)
    with pytest.raises(HomeError, match="another file took its place"):
        packing.copy_database(path, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b""


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a//b", "./a", "twice", "a-link"])
def test_what_would_not_come_back_is_refused_where_it_is_packed(
    var: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def packed(_folder: Path) -> Iterator[tuple[str, list[tuple[tarfile.TarInfo, io.BytesIO]]]]:
        members = [tarfile.TarInfo("twice"), tarfile.TarInfo(name)]
        members[1].type = tarfile.SYMTYPE if name == "a-link" else tarfile.REGTYPE
        yield "services/broker/mosquitto/", [(one, io.BytesIO()) for one in members]

    monkeypatch.setattr(backup, "_packed", packed)
    with pytest.raises(HomeError, match="could not be copied: what is packed there has"):
        backup.write(var, tmp_path / "b.tar.gz", NOW)
    assert not [path for path in tmp_path.iterdir() if "tar" in path.name]


def test_nothing_is_written_over(var: Path, tmp_path: Path) -> None:
    (tmp_path / "b.tar.gz").write_text("the one of yesterday")
    with pytest.raises(HomeError, match="exists"):
        backup.write(var, tmp_path / "b.tar.gz", NOW)
    assert (tmp_path / "b.tar.gz").read_text() == "the one of yesterday"


def test_where_there_is_no_home_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no home"):
        backup.write(tmp_path, tmp_path / "b.tar.gz", NOW)


def test_a_database_on_a_server_is_named_as_missing(var: Path, tmp_path: Path) -> None:
    (var / "alerts.toml").write_text('database = "postgresql+asyncpg://x/alerts"\n')
    assert backup.write(var, tmp_path / "b.tar.gz", NOW)[1] == [
        "the database of alerts.toml lies on a server: copy it with pg_dump"
    ]


def test_a_database_beside_the_home_is_named_as_missing(var: Path, tmp_path: Path) -> None:
    (var / "alerts.toml").write_text(f'database = "sqlite+aiosqlite:///{tmp_path}/disk/alerts.sqlite3"\n')
    assert backup.write(var, tmp_path / "b.tar.gz", NOW)[1] == [
        f"the database of alerts.toml lies in {tmp_path}/disk, outside the home: copy it as well"
    ]


@pytest.mark.parametrize("linked", ["data", "data/alerts.sqlite3"])
def test_there_is_no_backup_without_a_database_of_the_home(var: Path, tmp_path: Path, linked: str) -> None:
    """A household that moved it to another disk, or whoever broke into the service and wants its record gone."""
    (var / linked).rename(tmp_path / "moved")
    (var / linked).symlink_to(tmp_path / "moved")
    with pytest.raises(HomeError, match=r"alerts\.sqlite3 would not be in the backup: it lies behind a link"):
        backup.write(var, tmp_path / "b.tar.gz", NOW)
    assert not list(tmp_path.glob("*tar*"))
    (var / linked).unlink()
    (tmp_path / "moved").rename(var / linked)
    assert backup.write(var, tmp_path / "b.tar.gz", NOW)[1] == []


@pytest.mark.parametrize("linked", ["secrets/key", "secrets"])
def test_whatever_else_lies_behind_a_link_is_named_as_missing(var: Path, tmp_path: Path, linked: str) -> None:
    (var / linked).rename(tmp_path / "moved")
    (var / linked).symlink_to(tmp_path / "moved")
    (var / "log" / "auth-security.log").symlink_to("auth.log")  # nobody needs it elsewhere
    assert backup.write(var, tmp_path / "b.tar.gz", NOW)[1] == [
        f"what {var}/{linked} leads to, a link: copy it as well, or have the file itself there"
    ]


def test_of_any_number_of_links_a_few_are_named_and_no_name_reaches_the_terminal_as_it_is(
    var: Path, tmp_path: Path
) -> None:
    for number in range(8):
        (var / "data" / f"\x1b[{number}m").symlink_to("nowhere")
    told = backup.write(var, tmp_path / "b.tar.gz", NOW)[1]
    assert len(told) == 6
    assert all(line.isprintable() for line in told)
    assert told[-1].startswith("what 3 more links lead to")


@pytest.mark.parametrize("content", [b"database =", b"\xff"])
def test_a_configuration_that_is_none_is_told(var: Path, tmp_path: Path, content: bytes) -> None:
    (var / "alerts.toml").write_bytes(content)
    with pytest.raises(HomeError, match=r"alerts\.toml cannot be read"):
        backup.write(var, tmp_path / "b.tar.gz", NOW)


def test_it_comes_back_with_its_modes_and_what_was_there_goes_aside(var: Path, tmp_path: Path) -> None:
    backup.write(var, tmp_path / "b.tar.gz", NOW)
    (var / "secrets" / "key").write_text("another")
    (aside,), _ = restore.put_back(tmp_path / "b.tar.gz", var, NOW, as_it_is)
    assert (var / "secrets" / "key").read_text() == "secret"
    assert (var / "secrets" / "key").stat().st_mode & 0o777 == 0o600
    assert (aside / "secrets" / "key").read_text() == "another"
    assert var.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_its_services_own_what_is_theirs_before_it_lies_in_its_place(var: Path, tmp_path: Path) -> None:
    """A power cut between the two would leave a home that no service can read."""
    backup.write(var, tmp_path / "b.tar.gz", NOW)
    (var / "home.toml").write_text("the one that is there")
    seen: list[tuple[str, str]] = []

    def own(home: Path) -> None:
        seen.append(((home / "home.toml").read_text(), (var / "home.toml").read_text()))
        (home / "owned").touch()

    restore.put_back(tmp_path / "b.tar.gz", var, NOW, as_it_is, own=own)
    assert seen == [('name = "hub"\n', "the one that is there")]
    assert (var / "owned").exists()


def test_a_backup_that_was_cut_off_or_changed_touches_nothing(var: Path, tmp_path: Path) -> None:
    whole = tmp_path / "b.tar.gz"
    backup.write(var, whole, NOW)
    content = whole.read_bytes()
    spoiled = bytearray(content)
    spoiled[len(content) // 2] ^= 0xFF
    for number, damaged in enumerate((content[:-40], content[: len(content) // 2], bytes(spoiled), b"", b"no archive")):
        path = tmp_path / f"damaged{number}"
        path.write_bytes(damaged)
        with pytest.raises(HomeError):
            restore.put_back(path, var, NOW, as_it_is)
        assert (var / "home.toml").exists()


@pytest.mark.parametrize("name", ["home/../../etc/passwd", "/etc/passwd", "elsewhere/x", "home", "home/"])
def test_a_file_from_outside_a_home_is_refused(name: str, var: Path, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "evil", "wb") as zipped, tarfile.open(fileobj=zipped, mode="w|") as archive:
        member = tarfile.TarInfo(name)
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(HomeError, match="no backup of a home"):
        restore.put_back(tmp_path / "evil", var, NOW, as_it_is)


def test_a_link_in_an_archive_is_refused(var: Path, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "evil", "wb") as zipped, tarfile.open(fileobj=zipped, mode="w|") as archive:
        member = tarfile.TarInfo("home/x")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(member)
    with pytest.raises(HomeError, match="no backup of a home"):
        restore.put_back(tmp_path / "evil", var, NOW, as_it_is)


def test_a_link_in_a_home_is_not_followed(var: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("not the home's")
    (var / "link").symlink_to(tmp_path / "outside")
    os.mkfifo(var / "pipe")
    backup.write(var, tmp_path / "b.tar.gz", NOW)
    assert not {"home/link", "home/pipe"} & set(names(tmp_path / "b.tar.gz"))


def test_a_home_of_another_folder_is_restored_there_or_not_at_all(var: Path, tmp_path: Path) -> None:
    backup.write(var, tmp_path / "b.tar.gz", NOW)
    with pytest.raises(HomeError, match="restore it there"):
        restore.put_back(tmp_path / "b.tar.gz", tmp_path / "another", NOW, as_it_is)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a folder away")
def test_what_a_link_points_to_is_not_given_to_the_homes_user(var: Path, tmp_path: Path) -> None:
    (outside := tmp_path / "outside").write_text("root's own")
    (made := tmp_path / "made").mkdir()
    (made / "link").symlink_to(outside)
    os.chown(var, 12345, 12345)
    restore._give(made, var)
    assert {path.lstat().st_uid for path in (made, made / "link")} == {12345}
    assert outside.stat().st_uid == 0


def test_a_disk_of_its_own_cannot_be_put_aside_and_nothing_is_begun(
    var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = tmp_path / "homesystem-signer"
    signer.mkdir()
    (signer / "spool").write_text("")
    backup.write(var, tmp_path / "b.tar.gz", NOW)
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == signer)
    with pytest.raises(HomeError, match="homesystem-signer is a disk of its own"):
        restore.put_back(tmp_path / "b.tar.gz", var, NOW, as_it_is)
    assert sorted(tmp_path.iterdir()) == before
