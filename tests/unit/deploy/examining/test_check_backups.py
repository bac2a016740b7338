"""What the doctor says of backups: nothing anywhere, by hand, at a target, and how old is too old."""

import datetime as dt
from pathlib import Path

import pytest

from deploy.examining import check_backups
from deploy.folder.home import Home, Settings
from shared.keeping import notes
from shared.words.noted import BackupMade, BackupTarget

NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
DISK = "/mnt/backup"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "data").mkdir()
    return Home(tmp_path, Settings())


def found(home: Home) -> tuple[bool | None, str]:
    (one,) = check_backups.backups(home, NOW)
    assert one.area == "backups"
    return one.fine, f"{one.text} {one.step}"


def ago(**spans: float) -> dt.datetime:
    return NOW - dt.timedelta(**spans)


def test_a_home_without_backups_is_told_and_a_demo_needs_none(home: Home) -> None:
    fine, text = found(home)
    assert (fine, "nobody ever made one" in text, "backup target" in text) == (None, True, True)
    assert found(Home(home.var, Settings(demo=True)))[0]


@pytest.mark.parametrize(
    ("days", "fine", "told"), [(0, None, "less than a day ago"), (30, None, "30"), (31, False, "31")]
)
def test_by_hand_a_month_is_the_most(home: Home, days: int, fine: bool | None, told: str) -> None:
    notes.write(home.var / "data", BackupMade(at=ago(days=days), size=1))
    said = found(home)
    assert (said[0], told in said[1]) == (fine, True), said


@pytest.mark.parametrize(
    ("good", "failure", "fine", "told"),
    [
        (ago(hours=20), "", True, "less than a day old"),
        (ago(days=2, hours=23), "", True, "3 days old"),
        (ago(days=3), "", False, "3 days old"),
        (ago(hours=20), "plug it in", False, "the last try failed: plug it in"),
        (ago(days=9), "plug it in", False, "9 days old: plug it in"),
        (None, "", True, f"none lies at {DISK} yet"),
    ],
)
def test_at_a_target_three_days_are_the_most(
    home: Home, good: dt.datetime | None, failure: str, fine: bool, told: str
) -> None:
    notes.write(home.var / "data", BackupTarget(DISK, ago(hours=1), good, NOW, failure))
    said = found(home)
    assert (said[0], told in said[1]) == (fine, True), said


def test_a_target_that_never_got_one_is_too_old_as_well(home: Home) -> None:
    notes.write(home.var / "data", BackupTarget(DISK, ago(days=4), None, ago(days=4)))
    assert found(home)[0] is False
