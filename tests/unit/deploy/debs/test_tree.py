"""The tree of each package: what it has, where everything points to, and that nothing of a checkout is left."""

import os
import subprocess
from pathlib import Path

import pytest

from deploy.debs import tree
from deploy.debs.packages import AGENT, HUB, PACKAGES, Package
from deploy.debs.targets import ARCHITECTURES, SUITES, Target
from shared.running import installed

ROOT = Path(__file__).resolve().parents[4]
TARGET = Target(SUITES[1], ARCHITECTURES[1])
CODE = tree.PLACE.lstrip("/")


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What each package installs, without the programs of others."""
    made = {}
    for package in PACKAGES:
        made[package.name] = tmp_path_factory.mktemp(package.name)
        tree.lay(ROOT, made[package.name], package, TARGET, [])
    return made


def texts(root: Path) -> dict[str, str]:
    """What systemd and the shell read."""
    folders = ("usr/bin", "usr/lib/systemd", "usr/lib/sysusers.d", "usr/lib/tmpfiles.d")
    found = [path for folder in folders for path in (root / folder).rglob("*") if path.is_file()]
    return {path.name: path.read_text() for path in found}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_nothing_looks_for_a_checkout(roots: dict[str, Path], package: Package) -> None:
    for name, text in texts(roots[package.name]).items():
        assert "/opt/" not in text, name
        assert "/usr/local/bin/homesystem," not in text or name == "homesystem"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_every_path_that_a_unit_or_the_command_names_is_in_the_package(
    roots: dict[str, Path], package: Package
) -> None:
    root, seen = roots[package.name], 0
    for text in texts(root).values():
        for word in text.replace("file:", " ").replace("=", " ").split():
            if word.startswith((tree.PLACE + "/", f"/usr/share/doc/{package.name}/")):
                place = root / word.strip('",.').lstrip("/")
                assert os.path.lexists(place), word
                seen += 1
    assert seen > 3


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_the_command_knows_which_package_it_is(roots: dict[str, Path], package: Package) -> None:
    command = roots[package.name] / "usr/bin/homesystem"
    assert f"\npackage={package.name}\n" in command.read_text()
    assert command.stat().st_mode & 0o777 == 0o755


def test_a_room_has_no_units_users_or_code_of_a_hub(roots: dict[str, Path]) -> None:
    root = roots[AGENT.name]
    assert {path.name for path in (root / "usr/lib/systemd/system").iterdir()} == {
        "homesystem-agent@.service",
        "homesystem-room-renew@.service",
        "homesystem-room-renew@.timer",
    }
    assert [path.name for path in (root / "usr/lib/sysusers.d").iterdir()] == ["homesystem.conf"]
    assert {path.name for path in (root / CODE).iterdir()} == {".venv", "shared", "device_agents", "deploy"}
    assert {path.name for path in (root / CODE / "deploy").iterdir()} == {*AGENT.scripts, "upgrading"}


def test_a_hub_has_every_unit_and_the_doctor_finds_them(roots: dict[str, Path]) -> None:
    root = roots[HUB.name]
    units = {path.name for path in (ROOT / "deploy/systemd").iterdir()}
    assert {path.name for path in (root / "usr/lib/systemd/system").iterdir()} == units
    assert {path.name for path in (root / CODE / "deploy/systemd").iterdir() if path.is_file()} == units


def test_what_builds_installs_or_tests_is_in_no_package(roots: dict[str, Path]) -> None:
    for root in roots.values():
        names = {path.name for path in root.rglob("*")}
        assert not names & {"debs", "install.sh", "setup.sh", "__pycache__", "tests"}


def test_the_environment_is_one_for_the_targets_python(roots: dict[str, Path]) -> None:
    venv = roots[AGENT.name] / CODE / ".venv"
    assert "version = 3.13" in (venv / "pyvenv.cfg").read_text()
    site = venv / "lib/python3.13/site-packages"
    assert (site / "homesystem.pth").read_text() == "/usr/lib/homesystem\n"
    # As it lies on a machine: up from there to the root, and down to Debian's own.
    for link, there in (
        (venv / "bin/python", "usr/bin/python3.13"),
        (site / "lgpio.py", "usr/lib/python3/dist-packages/lgpio.py"),
        (
            site / "_lgpio.cpython-313-aarch64-linux-gnu.so",
            "usr/lib/python3/dist-packages/_lgpio.cpython-313-aarch64-linux-gnu.so",
        ),
    ):
        assert os.path.normpath(link.parent / link.readlink()) == str(roots[AGENT.name] / there)


def test_the_code_lies_where_its_own_advice_looks_for_it() -> None:
    assert Path(tree.PLACE) == installed.PACKAGED


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_every_script_of_the_package_is_one_for_the_shell(roots: dict[str, Path], package: Package) -> None:
    for name in package.scripts:
        path = roots[package.name] / CODE / "deploy" / name
        assert path.stat().st_mode & 0o111
        subprocess.run(["sh", "-n", str(path)], check=True)
