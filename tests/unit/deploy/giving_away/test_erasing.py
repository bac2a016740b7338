"""A home is erased whole, however often it is interrupted, and nothing else with it."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from deploy.folder import home as homes
from deploy.folder import unfinished
from deploy.giving_away import erasing
from shared.running.config import ConfigError


class PowerCutError(BaseException):
    """The machine has no power any more."""


def made(folder: Path) -> Path:
    """A home, its signer's folder, what restoring put aside, and what belongs to others."""
    var = folder / "homesystem"
    for name in ("pki", "secrets", "data", "agents", "log"):
        (var / name).mkdir(parents=True)
        (var / name / "a").write_text("of the home")
    (var / "home.toml").write_text('name = "hub.home.arpa"\n')
    for name in (
        "homesystem-signer/vault",
        "homesystem-backup/keys",
        "homesystem-upgrade/home",
        "homesystem.before-2026-11-01T100000/pki",
        ".homesystem.restoring-abcd1234/pki",
        ".homesystem-abcd1234/data",
        ".homesystem-opened-abcd1234/pki",
    ):
        (folder / name).mkdir(parents=True)
        (folder / name / "device-ca.key").write_text("a key")
    others = folder / "others"
    others.mkdir()
    (others / "precious").write_text("another's")
    (var / "link").symlink_to(others)
    (var / "data" / "link").symlink_to(others / "precious")
    (folder / ".homesystem-photos12").mkdir()
    (folder / "homesystem.before-the-war").mkdir()
    return var


def left(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


STAYS = {
    "homesystem",
    "homesystem-signer",
    "others",
    "others/precious",
    ".homesystem-photos12",
    "homesystem.before-the-war",
}


def test_everything_of_the_home_goes_and_nothing_else(tmp_path: Path) -> None:
    var = made(tmp_path)
    erasing.erase(var)
    assert left(tmp_path) == STAYS
    assert not erasing.begun(var)
    unfinished.check(var)


def test_a_home_on_another_disk_is_emptied_there(tmp_path: Path) -> None:
    disk = made(tmp_path / "disk")
    var = tmp_path / "homesystem"
    var.symlink_to(disk)
    erasing.erase(var)
    assert var.is_symlink()
    assert list(disk.iterdir()) == []


def cuts(monkeypatch: pytest.MonkeyPatch, after: int) -> list[str]:
    """The power goes after so many steps; the steps so far."""
    steps: list[str] = []

    def counted(what: Any) -> Any:
        def step(path: Any, *more: Any, **named: Any) -> Any:
            if len(steps) >= after:
                raise PowerCutError
            steps.append(str(path))
            return what(path, *more, **named)

        return step

    monkeypatch.setattr(Path, "unlink", counted(Path.unlink))
    monkeypatch.setattr(Path, "replace", counted(Path.replace))
    monkeypatch.setattr(Path, "rename", counted(Path.rename))
    monkeypatch.setattr(shutil, "rmtree", counted(shutil.rmtree))
    return steps


def test_wherever_the_power_goes_it_is_finished_by_the_next_try(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        steps = cuts(patch, 1_000)
        erasing.erase(made(tmp_path / "whole"))
    assert len(steps) > 10
    for after in range(len(steps)):
        folder = tmp_path / f"cut-{after}"
        var = made(folder)
        with pytest.MonkeyPatch.context() as patch:
            cuts(patch, after)
            with pytest.raises(PowerCutError):
                erasing.erase(var)
        if erasing.begun(var):
            with pytest.raises(ConfigError, match="factory-reset"):
                homes.find(var)
            with pytest.raises(ConfigError, match="factory-reset"):
                unfinished.check(var)
        else:
            assert (var / "home.toml").exists(), f"half a home is taken for none after {after} steps"
        erasing.erase(var)
        assert left(folder) == STAYS


def test_the_keys_go_before_anything_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = cuts(monkeypatch, 1_000)
    var = made(tmp_path)
    erasing.erase(var)
    gone = [step for step in steps if os.path.dirname(step) == str(var) and unfinished.RESET not in step]  # noqa: PTH120
    assert [Path(step).name for step in gone[:4]] == ["pki", "secrets", "data", "agents"]
    assert steps.index(str(tmp_path / "homesystem-signer" / "vault")) < steps.index(str(var / "pki"))
