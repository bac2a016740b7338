"""Whose table of time zones is in use, and how old it is."""

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.examining import check_zones
from deploy.running import installation
from tests.unit.deploy.running.test_installation import home, systemd

NOW = dt.datetime(2026, 11, 27, tzinfo=dt.UTC)


@pytest.fixture
def system(tmp_path: Path) -> Path:
    path = tmp_path / "tzdata.zi"
    path.write_text("# version 2025b\n# ddeps\n")
    return path


def table(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tzdata", SimpleNamespace(IANA_VERSION=version))


@pytest.mark.parametrize(
    ("version", "state", "text"),
    [
        ("2026f", "well", "table 2026f of the tzdata package, of this year"),
        ("2025b", "well", "table 2025b of the tzdata package, of last year"),
        ("2024a", "wrong", "is 2 years old"),
        ("2027a", "well", "of this year"),  # a clock that is behind
    ],
)
def test_the_doctor_says_how_old_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: Path, version: str, state: str, text: str
) -> None:
    table(monkeypatch, version)
    (found,) = check_zones.zones(installation.look(home(tmp_path), systemd(tmp_path)), NOW, system)
    assert found.state == state
    assert text in found.text


def test_a_unit_that_asks_the_systems_table_first_is_named(tmp_path: Path, system: Path) -> None:
    show = systemd(tmp_path, gateway_service={"Environment": f"HOMESYSTEM_VAR={tmp_path}"})
    (found,) = check_zones.zones(installation.look(home(tmp_path), show), NOW, system)
    assert found.state == "wrong"
    assert "homesystem-gateway.service: the system's table, 2025b" in found.text


def test_without_the_package_there_is_the_systems_table_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: Path
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tzdata", None)
    (found,) = check_zones.zones(installation.look(home(tmp_path), lambda _names: ""), NOW, tmp_path / "none")
    assert (found.state, found.step) == ("wrong", "sudo homesystem upgrade")
    assert "whose age cannot be told" in found.text
