"""A whole package, but for the programs of others, from the last commit of this checkout."""

import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.debs import building, programs
from deploy.debs.packages import AGENT, HUB
from deploy.debs.targets import ARCHITECTURES, SUITES, Target
from shared.running import offered

ROOT = Path(__file__).resolve().parents[4]
TARGET = Target(SUITES[1], ARCHITECTURES[1])
pytestmark = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("dpkg-deb", "po2debconf", "git")) or not (ROOT / ".git").exists(),
    reason="needs git's checkout, dpkg-deb and po-debconf",
)


@pytest.fixture
def nothing_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "fetch", lambda *_: [])


def said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@pytest.mark.usefixtures("nothing_of_others")
def test_the_same_commit_makes_the_same_file(tmp_path: Path) -> None:
    commit = building.newest(ROOT)
    first, second = (
        building.build(commit, AGENT, TARGET, tmp_path / name, "1.2", quick=True).path for name in ("one", "two")
    )
    assert first.name == "home-system-agent_1.2+deb13_arm64.deb"
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.usefixtures("nothing_of_others")
def test_everything_is_roots_and_dated_by_the_commit_and_dpkg_can_check_it(tmp_path: Path) -> None:
    commit = building.newest(ROOT)
    path = building.build(commit, AGENT, TARGET, tmp_path, "1.2", quick=True).path
    listed = [line.split() for line in said("dpkg-deb", "-c", str(path)).splitlines()]
    assert {words[1] for words in listed} == {"root/root"}
    assert len({tuple(words[3:5]) for words in listed}) == 1
    assert not [words for words in listed if words[0][0] != "l" and "w" in words[0][5:]]
    subprocess.run(["dpkg-deb", "-R", str(path), str(unpacked := tmp_path / "unpacked")], check=True)
    subprocess.run(["md5sum", "--check", "--quiet", "DEBIAN/md5sums"], check=True, cwd=unpacked)
    files = {str(one.relative_to(unpacked)) for one in unpacked.rglob("*") if one.is_file() and not one.is_symlink()}
    summed = {line.split("  ", 1)[1] for line in (unpacked / "DEBIAN/md5sums").read_text().splitlines()}
    assert summed == {name for name in files if not name.startswith("DEBIAN/")}


@pytest.mark.usefixtures("nothing_of_others")
def test_a_hub_brings_the_agent_for_every_machine_that_a_room_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_offered", {})
    hub = building.build(building.newest(ROOT), HUB, TARGET, tmp_path, "1.2", quick=True).path
    subprocess.run(["dpkg-deb", "-x", str(hub), str(unpacked := tmp_path / "unpacked")], check=True)
    code = unpacked / "usr/lib/homesystem"
    wanted = [(release, processor) for release in ("12", "13") for processor in ("amd64", "arm64")]
    assert offered.targets([code / offered.FOLDER]) == [f"Debian {' '.join(one)}" for one in wanted]
    for release, processor in wanted:
        found = offered.find([code / offered.FOLDER], release, processor)
        assert found is not None
        fields = said("dpkg-deb", "-f", str(found), "Package", "Version", "Architecture").splitlines()
        assert fields == ["Package: home-system-agent", f"Version: 1.2+deb{release}", f"Architecture: {processor}"]


def test_where_wheels_cannot_be_had_it_is_said_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(*_: object) -> list[Path]:
        raise programs.UnavailableError("pip: no wheel of msgspec")

    monkeypatch.setattr(programs, "fetch", fetch)
    with pytest.raises(programs.UnavailableError, match="msgspec"):
        building.build(building.newest(ROOT), AGENT, TARGET, tmp_path)
    assert not list(tmp_path.rglob("*.deb"))
