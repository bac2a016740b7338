"""The key and the target, said once: never over another, never half, and finished by a second try."""

import datetime as dt
import errno
import io
import itertools
import os
import shutil
import sys
from functools import partial
from pathlib import Path

import pytest

from deploy.archives import plan, present, pruning, revocations, sealing, sending, targets
from deploy.archives.present import Accounts, Present
from deploy.safekeeping import arranging, keys
from shared.keeping import notes
from shared.words.noted import BackupTarget
from shared.words.problem import HomeError
from tests import killed

NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, as far as these commands look at it."""
    (tmp_path / "home" / "data").mkdir(parents=True)
    (tmp_path / "home" / "home.toml").touch()
    monkeypatch.setenv("HOMESYSTEM_VAR", str(tmp_path / "home"))
    return tmp_path / "home"


def make(file: Path | None, *, passphrase: bool = False, another: bool = False) -> None:
    arranging.key(file, passphrase=passphrase, another=another)


def say(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What stands on the pipe."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_the_hub_keeps_the_public_half_alone(var: Path, tmp_path: Path) -> None:
    make(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert keys.read(tmp_path / "key").recipient == plan.read(var).recipient
    assert not [path for path in var.rglob("*") if path.is_file() and b"SECRET-KEY" in path.read_bytes()]


def test_it_is_shown_once_where_that_is_wanted(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(Path("-"))
    shown = capsys.readouterr().out
    assert sealing.key_of(shown.encode()).recipient == plan.read(var).recipient


def test_under_a_passphrase_it_is_carried_or_lies_beside(
    var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(monkeypatch, "velvet otter seldom crosses\n")
    make(tmp_path / "key", passphrase=True)
    assert plan.read(var).key is None
    say(monkeypatch, "velvet otter seldom crosses\n")
    assert keys.read(tmp_path / "key").recipient == plan.read(var).recipient
    say(monkeypatch, "another otter seldom crosses\n")
    make(None, passphrase=True, another=True)
    arranged = plan.read(var)
    assert arranged.key is not None
    opened = sealing.unprotect(arranged.key.encode(), "another otter seldom crosses")
    assert opened.recipient == arranged.recipient


@pytest.mark.parametrize(
    ("said", "told"), [("", "no terminal"), ("short\n", "too short"), ("passwordpassword\n", "passphrase")]
)
def test_a_passphrase_that_is_soon_guessed_is_refused(
    var: Path, monkeypatch: pytest.MonkeyPatch, said: str, told: str
) -> None:
    say(monkeypatch, said)
    with pytest.raises(HomeError, match=told):
        make(None, passphrase=True)
    assert plan.read(var).recipient is None


def test_one_key_takes_anothers_place_only_where_that_is_said(var: Path, tmp_path: Path) -> None:
    make(tmp_path / "key")
    before = plan.read(var)
    with pytest.raises(HomeError, match="--another"):
        make(tmp_path / "second")
    assert not (tmp_path / "second").exists()
    make(tmp_path / "key")
    assert plan.read(var) == before, "the same one again changes nothing"
    make(tmp_path / "second", another=True)
    assert plan.read(var).recipient == keys.read(tmp_path / "second").recipient != before.recipient


def test_what_is_no_key_is_neither_taken_nor_written_over(var: Path, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("of somebody")
    with pytest.raises(HomeError, match="no key in it"):
        make(tmp_path / "letter")
    assert (tmp_path / "letter").read_text() == "of somebody"
    with pytest.raises(HomeError, match="lies in the home itself"):
        make(var / "key")
    with pytest.raises(HomeError, match="Say where"):
        make(None)


def test_after_a_power_cut_the_key_that_was_written_is_the_one_that_counts(var: Path, tmp_path: Path) -> None:
    code, writes = killed.at_write(lambda: make(tmp_path / "of-nobody"), tmp_path, 0)
    assert code == 0
    for die_at in range(1, writes + 1):
        (plan.folder(var) / plan.NAME).unlink(missing_ok=True)
        file = tmp_path / f"key{die_at}"
        assert killed.at_write(partial(make, file), tmp_path, die_at)[0] == -9
        make(file)
        assert keys.read(file).recipient == plan.read(var).recipient


def aim(where: Path, *, take_over: bool = False) -> None:
    arranging.target(str(where), daily=None, weekly=None, monthly=None, take_over=take_over, host_key=None)


def test_a_target_takes_a_key_first_and_lies_outside(var: Path, tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="First make a key"):
        aim(tmp_path / "disk")
    make(tmp_path / "key")
    with pytest.raises(HomeError, match="lies in the home itself"):
        aim(var / "backups")
    with pytest.raises(HomeError, match="cannot be made"):
        aim(tmp_path / "not" / "there")


def test_another_homes_target_is_taken_over_only_where_that_is_said(var: Path, tmp_path: Path) -> None:
    make(tmp_path / "key")
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / targets.MARK).write_text('{"mark": "of another", "made_at": "2026-11-27T12:00:00Z"}')
    with pytest.raises(HomeError, match="--take-over"):
        aim(tmp_path / "disk")
    assert plan.read(var).target is None
    with pytest.raises(HomeError):  # as it is no whole home, the backup itself ends here
        aim(tmp_path / "disk", take_over=True)
    arranged = plan.read(var)
    assert targets.found(arranged, plan.folder(var)).name == str(tmp_path / "disk")


@pytest.fixture
def whole(var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small home that can be backed up, with its key; a minute goes by from one command to the next."""
    (var / "home.toml").write_text('name = "hub"\n')
    (var / "secrets").mkdir()
    (var / "secrets" / revocations.SECRET).write_text("a secret of the home\n")
    (var / "secrets" / revocations.SECRET).chmod(0o600)
    monkeypatch.setattr(present, "read", lambda _var, _now: Present(b"", [], Accounts(())))
    minutes = itertools.count()
    monkeypatch.setattr(arranging, "now", lambda: NOW + dt.timedelta(minutes=next(minutes)))
    make(tmp_path / "key")
    return var


def fill(monkeypatch: pytest.MonkeyPatch, folder: Path, what: str) -> None:
    """From now on the disk of that folder is full as soon as such a file is written there."""
    fsync = os.fsync

    def full(number: int) -> None:
        path = Path(f"/proc/self/fd/{number}").readlink()
        if path.parent == folder and what in path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(number)

    monkeypatch.setattr(os, "fsync", full)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def archives(folder: Path) -> list[str]:
    return sorted(name for name in names(folder) if pruning.moment(name))


def noted(var: Path) -> BackupTarget:
    found = notes.read(var / "data", BackupTarget)
    assert found is not None
    return found


def test_another_target_takes_the_formers_place_once_a_backup_lies_there(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    aim(old)
    aim(new)
    assert (plan.read(whole).target, noted(whole).where) == (str(new), str(new))
    assert len(archives(old)) == len(archives(new)) == 1
    assert f"Backups go to {new}, and of 7 days" in capsys.readouterr().out


@pytest.mark.parametrize("full", [targets.MARK, ".tar.gz", revocations.NAME])
def test_the_former_target_stays_where_the_first_backup_does_not_fit_at_another(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], full: str
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    aim(old)
    before, made, note = plan.read(whole), plan.made(whole), noted(whole)
    capsys.readouterr()
    with monkeypatch.context() as patched:
        fill(patched, new, full)
        with pytest.raises(HomeError, match="No space left on device"):
            arranging.target(str(new), daily=2, weekly=None, monthly=None, take_over=False, host_key=None)
    said = capsys.readouterr().out
    assert f"DID NOT GET to {new}, so they go to {old} as before" in said
    assert f"Backups go to {new}" not in said
    assert (plan.read(whole), plan.made(whole), noted(whole)) == (before, made, note)
    assert targets.MARK not in names(new)
    sending.send(whole, plan.read(whole), NOW + dt.timedelta(days=1))
    assert len(archives(old)) == 2, "the next one goes there as before"
    aim(new)
    assert plan.read(whole).target == str(new)
    assert len(archives(new)) == 1 + (full == revocations.NAME)


def test_a_target_that_was_to_be_taken_over_is_the_others_again_where_nothing_fits(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    aim(old)
    new.mkdir()
    others = targets.at(str(new), plan.folder(whole))
    targets.put_mark(others, "of another", dt.datetime(2026, 11, 27, tzinfo=dt.UTC))
    mark = targets.marked(others)
    fill(monkeypatch, new, ".tar.gz")
    with pytest.raises(HomeError, match="No space left on device"):
        aim(new, take_over=True)
    assert targets.marked(others) == mark
    assert plan.read(whole).target == str(old)


@pytest.mark.parametrize("anew", [False, True])
def test_the_only_target_counts_though_nothing_fits_there_yet_and_it_says_so(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], anew: bool
) -> None:
    disk = tmp_path / "disk"
    if anew:
        aim(disk)
        capsys.readouterr()
    with monkeypatch.context() as patched:
        fill(patched, disk, ".tar.gz")
        with pytest.raises(HomeError, match="No space left on device"):
            aim(disk)
    said = capsys.readouterr().out
    assert f"to go to {disk}, but this one DID NOT GET THERE" in said
    assert "one each is kept" not in said
    assert plan.read(whole).target == str(disk)
    assert "No space left on device" in noted(whole).failure
    sending.send(whole, plan.read(whole), NOW + dt.timedelta(days=1))
    assert len(archives(disk)) == 1 + anew


def test_a_power_cut_amid_a_change_of_target_leaves_the_former_one_or_the_new_one_with_a_backup(
    whole: Path, tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    aim(old)
    code, writes = killed.at_write(partial(aim, tmp_path / "whole"), tmp_path, 0)
    assert code == 0
    reached = set()
    for die_at in range(1, writes + 1):
        aim(old)
        shutil.rmtree(new, ignore_errors=True)
        assert killed.at_write(partial(aim, new), tmp_path, die_at)[0] == -9
        arranged = plan.read(whole)
        assert arranged.target is not None
        reached.add(arranged.target)
        assert archives(Path(targets.found(arranged, plan.folder(whole)).name))
    assert reached == {str(old), str(new)}


def test_the_timer_of_an_installed_home_writes_below_a_few_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("/root/backups", "/home/me", "/var/lib/homesystem-signer", "/mnt/../etc"):
        with pytest.raises(HomeError, match=r"writes nowhere but below|lies in the home"):
            arranging._check_folder(Path(place), plan.INSTALLED)
    unit = (Path(arranging.__file__).parents[1] / "systemd" / "homesystem-backup.service").read_text()
    assert all(f" -{place}" in unit for place in arranging._PLACES)
