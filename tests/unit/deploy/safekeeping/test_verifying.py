"""A backup is tried out before it is needed: what is wrong in it is found, and nothing of it stays behind."""

import asyncio
import datetime as dt
import io
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from alert_service.store import open_store
from alert_service.tables import events
from deploy.archives import backup, packing, sealing
from deploy.archives.plan import Plan
from deploy.running import demo
from deploy.safekeeping import opening, verifying
from shared.words.problem import HomeError
from tests import killed
from tests.unit.alert_service.record_parts import acts, tell

NOW = dt.datetime.now(dt.UTC)
KEY = sealing.new_key()
Spoil = Callable[[str, bytes], bytes | None]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home of three rooms, its backup as it is, and sealed."""
    folder = tmp_path_factory.mktemp("verifying")
    asyncio.run(demo.create(folder / "home"))
    backup.write(folder / "home", folder / "b.tar.gz", NOW)
    backup.write(folder / "home", folder / "b.tar.gz.age", NOW, KEY.recipient)
    (folder / "key").write_bytes(KEY.written())
    return folder


def faults(archive: Path) -> list[str]:
    found = list(verifying.verify(archive, archive, archive.parent / "home", NOW))
    assert len(found) > 3
    return [one.text for one in found if not one.well]


def changed(made: Path, to: Path, spoil: Spoil) -> Path:
    """The backup with what `spoil` makes of its files; None leaves one out."""
    with tarfile.open(made / "b.tar.gz") as whole, tarfile.open(to, "w:gz") as other:
        for member in whole:
            file = whole.extractfile(member)
            assert file is not None
            if (content := spoil(member.name, file.read())) is not None:
                member.size = len(content)
                other.addfile(member, io.BytesIO(content))
    return to


def test_a_good_one_is_good_and_nothing_is_left(made: Path) -> None:
    assert faults(made / "b.tar.gz") == []
    assert not list(made.glob(".*"))


def torn(content: bytes) -> bytes:
    return content[:8192] + b"\x00" * (len(content) - 12288) + content[-4096:]


@pytest.mark.parametrize(
    ("name", "spoil", "told"),
    [
        ("home/data/auth.sqlite3", torn, "auth.sqlite3 is torn"),
        ("home/secrets/cookie-key", lambda _: None, "no secrets/cookie-key"),
        ("home/pki/hall.key", "home/pki/kitchen.key", "hall.crt and hall.key do not belong together"),
        ("home/pki/crl.pem", lambda _: b"no list", "is no revocation list"),
        ("home/mosquitto/dynamic-security.json", lambda _: b"{", "truncated"),
        ("home/signer/vault/device-ca.key", lambda _: None, "device authority's key is not in it"),
        ("home/auth.toml", lambda _: b"", "auth.toml"),
    ],
)
def test_what_is_wrong_is_found(
    made: Path, tmp_path: Path, name: str, spoil: Callable[[bytes], bytes | None] | str, told: str
) -> None:
    with tarfile.open(made / "b.tar.gz") as whole:
        other = whole.extractfile(spoil) if isinstance(spoil, str) else None
        swapped = other.read() if other is not None else b""

    def spoiled(member: str, content: bytes) -> bytes | None:
        if member != name:
            return content
        return swapped if isinstance(spoil, str) else spoil(content)

    found = faults(changed(made, tmp_path / "b.tar.gz", spoiled))
    assert [text for text in found if told in text], found


async def record(path: Path) -> None:
    """Some rows, one of which somebody changed."""
    store = await open_store(f"sqlite+aiosqlite:///{path}")
    await tell(store, acts(5))
    async with store.write() as connection:
        await connection.execute(update(events).where(events.c.row == 3).values(place="hall/lamp"))
    await store.close()


def test_a_row_of_the_record_that_somebody_changed_is_found(made: Path, tmp_path: Path) -> None:
    (tmp_path / "copied").mkdir()
    asyncio.run(record(tmp_path / "alerts.sqlite3"))
    packing.copy_database(tmp_path / "alerts.sqlite3", tmp_path / "copied" / "alerts.sqlite3")
    with tarfile.open(made / "b.tar.gz") as whole, tarfile.open(tmp_path / "b.tar.gz", "w:gz") as other:
        for member in whole:
            other.addfile(member, whole.extractfile(member))
        other.add(tmp_path / "copied" / "alerts.sqlite3", "home/data/alerts.sqlite3")
    (found,) = faults(tmp_path / "b.tar.gz")
    assert found.startswith("the record is broken: row 3")


def test_a_home_that_ran_has_its_record_in_it(made: Path, tmp_path: Path) -> None:
    with tarfile.open(made / "b.tar.gz") as whole, tarfile.open(tmp_path / "b.tar.gz", "w:gz") as other:
        for member in whole:
            other.addfile(member, whole.extractfile(member))
        other.addfile(tarfile.TarInfo("home/data/gateway-spool.sqlite3"), io.BytesIO())
    assert faults(tmp_path / "b.tar.gz") == ["the record is not in it: there is no data/alerts.sqlite3"]


def opens(archive: Path, key: Path | None) -> bytes:
    with opening.opened(archive, archive.parent / "home", key, Plan()) as opened:
        return opened.archive.read_bytes()


def test_a_sealed_one_opens_by_its_key_and_leaves_nothing_open(made: Path) -> None:
    assert opens(made / "b.tar.gz.age", made / "key")[:2] == b"\x1f\x8b"
    assert not list(made.glob(".*"))


def test_by_another_key_or_none_it_stays_shut(made: Path, tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="name the file of its key"):
        opens(made / "b.tar.gz.age", None)
    (tmp_path / "key").write_bytes(sealing.new_key().written())
    with pytest.raises(HomeError, match="another key"):
        opens(made / "b.tar.gz.age", tmp_path / "key")
    with pytest.raises(HomeError, match="no key in it"):
        opens(made / "b.tar.gz.age", made / "home" / "home.toml")
    assert not list(made.glob(".*"))


@pytest.mark.parametrize("spoil", ["cut", "flipped", "empty", "gone"])
def test_a_damaged_one_is_told_and_leaves_nothing(made: Path, tmp_path: Path, spoil: str) -> None:
    content = bytearray((made / "b.tar.gz.age").read_bytes())
    if spoil == "cut":
        del content[-100:]
    elif spoil == "flipped":
        content[len(content) // 2] ^= 4
    elif spoil == "empty":
        content.clear()
    if spoil != "gone":
        (tmp_path / "b.age").write_bytes(content)

    def tried() -> None:
        with opening.opened(tmp_path / "b.age", tmp_path / "home", made / "key", Plan()) as opened:
            list(verifying.verify(opened.archive, opened.archive, tmp_path / "home", NOW))

    with pytest.raises(HomeError, match=r"cut off or changed|damaged|not there"):
        tried()
    assert not list(tmp_path.glob(".*"))


def test_the_passphrase_alone_opens_it_where_the_key_lies_beside(made: Path, tmp_path: Path) -> None:
    shutil.copy(made / "b.tar.gz.age", tmp_path / "b.age")
    said = iter(["a wrong one", "four words and a half"])
    (tmp_path / "homesystem-key-1.age").write_bytes(sealing.protect(sealing.new_key(), "an older one, of before"))
    (tmp_path / "homesystem-key-2.age").write_bytes(sealing.protect(KEY, "four words and a half"))
    for is_right in (False, True):
        try:
            with opening.opened(tmp_path / "b.age", tmp_path / "home", None, Plan(), lambda _: next(said)) as opened:
                assert is_right
                assert opened.key is not None
        except HomeError as error:
            assert not is_right
            assert "not its passphrase" in error.detail  # noqa: PT017 - of the first alone


def test_after_a_power_cut_at_any_write_of_a_rehearsal_the_next_one_leaves_nothing(made: Path) -> None:
    def rehearse() -> None:
        with opening.opened(made / "b.tar.gz.age", made / "home", made / "key", Plan()) as opened:
            assert all(one.well for one in verifying.verify(opened.archive, opened.archive, made / "home", NOW))

    before = {path: path.stat().st_mtime_ns for path in (made / "home").rglob("*")}
    code, writes = killed.at_write(rehearse, made, 0)
    assert (code, writes > 100) == (0, True)
    for die_at in range(1, writes, writes // 12):
        assert killed.at_write(rehearse, made, die_at)[0] == -9
        rehearse()
        assert not list(made.glob(".*"))
    assert {path: path.stat().st_mtime_ns for path in (made / "home").rglob("*")} == before
