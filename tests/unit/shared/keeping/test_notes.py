"""What the hub's command leaves for the house's page: the newest, whole, its owner's alone; and what cannot be read."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.keeping import notes
from shared.words.noted import BackupMade, DoctorLine, DoctorReport
from shared.words.problem import HomeError

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
REPORT = DoctorReport(well=True, at=AT, findings=[DoctorLine("disk", "well", "room", "")])


def test_what_was_never_left_is_not_there(tmp_path: Path) -> None:
    assert notes.read(tmp_path, DoctorReport) is None
    assert notes.read(tmp_path, BackupMade) is None


def test_the_newest_is_read_and_each_is_its_own(tmp_path: Path) -> None:
    notes.write(tmp_path, BackupMade(at=AT, size=1))
    notes.write(tmp_path, BackupMade(at=AT, size=2))
    notes.write(tmp_path, REPORT)
    assert notes.read(tmp_path, BackupMade) == BackupMade(at=AT, size=2)
    assert notes.read(tmp_path, DoctorReport) == REPORT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.json", "doctor.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"well": 1}', b"\xff" * 10])
def test_one_that_cannot_be_read_is_no_good_news(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "doctor.json").write_bytes(content)
    with pytest.raises(HomeError, match="cannot be read"):
        notes.read(tmp_path, DoctorReport)
