"""What a package installs, laid out in a folder: code, environment, units, users, the command and the pages."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from deploy.debs import programs
from deploy.debs.packages import Package
from deploy.debs.targets import Target
from shared.running.installed import PACKAGED

PLACE = str(PACKAGED)
_FROM_GIT = "/opt/homesystem"
_UNITS = "usr/lib/systemd/system"
_NOT_OURS = ("__pycache__", "debs", "systemd", "sysusers.d", "tmpfiles.d", "udev", "*.sh")


def rewritten(text: str, package: Package) -> str:
    """A unit or script that speaks of a checkout, as it stands in the package: its paths, and whose it is."""
    text = text.replace(f"{_FROM_GIT}/docs/", f"/usr/share/doc/{package.name}/").replace(_FROM_GIT, PLACE)
    return text.replace("\npackage=\n", f"\npackage={package.name}\n")


def lay(source: Path, root: Path, package: Package, target: Target, wheels: Iterable[Path]) -> None:
    """Fill `root` with what the package installs; `source` is a checkout as it was committed.

    Nothing is there yet but what a hub offers to its rooms.
    """
    code = root / PLACE.lstrip("/")
    code.mkdir(parents=True, exist_ok=True)
    for name in package.code:
        shutil.copytree(source / name, code / name, ignore=shutil.ignore_patterns(*_NOT_OURS))
    _scripts(source, code, package)
    _system(source, root, package)
    if package.kind == "hub":
        shutil.copy(source / "mosquitto.conf", code)
        # The doctor reads there which units a hub has.
        (code / "deploy/systemd").mkdir()
        for unit in sorted((root / _UNITS).iterdir()):
            (code / "deploy/systemd" / unit.name).symlink_to(f"../../../systemd/system/{unit.name}")
    environment(code, target, wheels)
    _pages(source, root, package)


def environment(code: Path, target: Target, wheels: Iterable[Path]) -> None:
    """The folder `.venv` beside the code, as Python's own `venv` makes one, for the target's Python of Debian."""
    venv = code / ".venv"
    site = venv / "lib" / target.interpreter / "site-packages"
    site.mkdir(parents=True)
    programs.unpack(wheels, site)
    (venv / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {target.suite.python_full}\n"
    )
    (site / "homesystem.pth").write_text(f"{PLACE}\n")
    # Of the system's modules this one alone: dangling where python3-lgpio is not installed.
    compiled = f"_lgpio.cpython-{target.suite.python.replace('.', '')}-{target.architecture.triplet}.so"
    for name in ("lgpio.py", compiled):
        (site / name).symlink_to(f"../../../../../python3/dist-packages/{name}")
    (venv / "bin").mkdir()
    (venv / "bin/python").symlink_to(f"../../../../bin/{target.interpreter}")
    command = venv / "bin/homesystem"
    command.write_text(f'#!/bin/sh\nexec {PLACE}/.venv/bin/python -P -m deploy "$@"\n')
    command.chmod(0o755)


def _scripts(source: Path, code: Path, package: Package) -> None:
    for name in package.scripts:
        path = code / "deploy" / name
        path.parent.mkdir(exist_ok=True)
        shutil.copy(source / "deploy" / name, path)
        path.chmod(0o755)


def _system(source: Path, root: Path, package: Package) -> None:
    """What systemd, udev and whoever types a command find."""
    of_a_room = package.kind == "room"
    for unit in sorted((source / "deploy/systemd").iterdir()):
        if "@." in unit.name or not of_a_room:
            _put(root / _UNITS / unit.name, rewritten(unit.read_text(), package))
    for path in sorted((source / "deploy/sysusers.d").iterdir()):
        if not (of_a_room and path.name.endswith("-signer.conf")):
            _put(root / "usr/lib/sysusers.d" / path.name, path.read_text())
    for path in sorted((source / "deploy/tmpfiles.d").iterdir()):
        _put(root / "usr/lib/tmpfiles.d" / path.name, path.read_text())
    for path in sorted((source / "deploy/udev").iterdir()):
        _put(root / "usr/lib/udev/rules.d" / path.name, path.read_text())
    command = root / "usr/bin/homesystem"
    _put(command, rewritten((source / "deploy/homesystem.sh").read_text(), package))
    command.chmod(0o755)


def _pages(source: Path, root: Path, package: Package) -> None:
    folder = root / "usr/share/doc" / package.name
    for page in sorted((source / "docs").glob("*.md")):
        _put(folder / page.name, page.read_text())


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
