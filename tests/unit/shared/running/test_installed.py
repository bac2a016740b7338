"""Advice is what one can type on this machine."""

from pathlib import Path

import pytest

from shared.running import installed


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(installed, "PACKAGED", tmp_path)
    return tmp_path


def test_a_checkout_is_installed_again_by_its_installer(tmp_path: Path) -> None:
    assert installed.again("hub", tmp_path) == "sudo /opt/homesystem/deploy/install.sh hub"
    assert installed.lgpio(tmp_path) == "sudo /opt/homesystem/deploy/install.sh room"


def test_a_package_is_installed_again_by_apt_under_its_own_name(packaged: Path) -> None:
    assert installed.again("room", packaged) == "sudo apt-get install --reinstall home-system-agent"
    (packaged / "gateway").mkdir()
    assert installed.again("room", packaged) == "sudo apt-get install --reinstall home-system"


def test_what_a_package_leaves_to_the_system_is_named(packaged: Path) -> None:
    assert installed.lgpio(packaged) == "sudo apt-get install python3-lgpio"
