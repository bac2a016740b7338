"""The key and the target, said once: never over another, never half, and finished by a second try."""

import io
import sys
from functools import partial
from pathlib import Path

import pytest

from deploy.archives import plan, sealing, targets
from deploy.safekeeping import arranging, keys
from shared.words.problem import HomeError
from tests import killed


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


def test_the_timer_of_an_installed_home_writes_below_a_few_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("/root/backups", "/home/me", "/var/lib/homesystem-signer", "/mnt/../etc"):
        with pytest.raises(HomeError, match=r"writes nowhere but below|lies in the home"):
            arranging._check_folder(Path(place), plan.INSTALLED)
    unit = (Path(arranging.__file__).parents[1] / "systemd" / "homesystem-backup.service").read_text()
    assert all(f" -{place}" in unit for place in arranging._PLACES)
