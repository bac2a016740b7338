"""Which package a Pi is offered: the one for its Debian and processor, the owner's before what came along."""

import os
from pathlib import Path

from shared.running import offered


def put(folder: Path, name: str, at: int) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(b"a package")
    os.utime(path, (at, at))
    return path


def test_the_one_that_came_last_for_that_debian_and_processor(tmp_path: Path) -> None:
    newer = put(tmp_path, "home-system-agent_0.2.0+deb12_arm64.deb", 2)
    put(tmp_path, "home-system-agent_0.1.0+deb12_arm64.deb", 1)
    put(tmp_path, "home-system-agent_0.2.0+deb13_arm64.deb", 3)
    put(tmp_path, "home-system_0.2.0+deb12_arm64.deb", 4)
    assert offered.find([tmp_path], "12", "arm64") == newer
    assert offered.find([tmp_path], "12", "amd64") is None
    assert offered.find([tmp_path], "1", "arm64") is None
    assert offered.targets([tmp_path]) == ["Debian 12 arm64", "Debian 13 arm64"]


def test_the_owners_goes_before_what_came_along_and_a_folder_that_is_not_there_has_none(tmp_path: Path) -> None:
    own = put(tmp_path / "own", "home-system-agent_0.1.0+deb12_arm64.deb", 1)
    put(tmp_path / "came", "home-system-agent_0.3.0+deb12_arm64.deb", 2)
    places = [tmp_path / "away", tmp_path / "own", tmp_path / "came"]
    assert offered.find(places, "12", "arm64") == own
