"""The list beside a backup counts as the home's own word, of after the backup; anything else is told and does not."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from deploy.archives import revocations, sealing
from deploy.archives.backup import HOME, Label
from deploy.safekeeping import beside

NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
LABEL = Label(version=1, at=NOW.isoformat(), folder="/var/lib/homesystem")
KEY = sealing.new_key()
SECRET = b"a secret of the home"


@pytest.fixture
def work(tmp_path: Path) -> dict[str, Path]:
    """An unpacked home, and an archive beside which a list may lie."""
    path = tmp_path / "home" / "secrets" / revocations.SECRET
    path.parent.mkdir(parents=True)
    path.write_bytes(SECRET)
    path.chmod(0o600)
    return {HOME: tmp_path / "home"}


def put(work: dict[str, Path], at: dt.datetime, *, secret: bytes = SECRET, key: sealing.Key = KEY) -> Path:
    archive = work[HOME].parent / "b.age"
    said = revocations.Revoked(at, ("kitchen",), ())
    archive.with_name(revocations.NAME).write_bytes(revocations.sealed(said, secret, key.recipient))
    return archive


@pytest.mark.parametrize("later", [dt.timedelta(0), dt.timedelta(days=400)])
def test_the_homes_own_word_of_after_the_backup_counts(work: dict[str, Path], later: dt.timedelta) -> None:
    found = beside.listed(put(work, NOW + later), KEY, work, LABEL)
    assert found.fault == ""
    assert found.told is not None
    assert found.told.names == ("kitchen",)


def test_an_older_one_does_not(work: dict[str, Path]) -> None:
    found = beside.listed(put(work, NOW - dt.timedelta(seconds=1)), KEY, work, LABEL)
    assert (found.told, "older than the backup" in found.fault) == (None, True)


def test_a_strangers_or_another_homes_does_not(work: dict[str, Path]) -> None:
    for archive in (put(work, NOW, secret=b"guessed"), put(work, NOW, key=sealing.new_key())):
        found = beside.listed(archive, KEY, work, LABEL)
        assert (found.told, "does not count" in found.fault) == (None, True)


def test_where_there_is_none_nothing_is_said(work: dict[str, Path]) -> None:
    archive = work[HOME].parent / "b.age"
    assert beside.listed(archive, KEY, work, LABEL) == beside.Listed(None)
    assert beside.listed(put(work, NOW), None, work, LABEL) == beside.Listed(None), "an open one has none"


def test_a_backup_of_an_older_version_has_no_key_for_it(work: dict[str, Path]) -> None:
    archive = put(work, NOW)
    shutil.rmtree(work[HOME] / "secrets")
    assert "does not count" in beside.listed(archive, KEY, work, LABEL).fault
