"""This very code and its place among what starts with the machine, kept apart while an upgrade is under way: whoever
goes on later, also after a power cut, has it whole, whatever lies half installed by then.
"""

import shutil
import sys
from pathlib import Path

from deploy.upgrading.journal import put
from deploy.upgrading.place import Place, run

_OWN = Path(__file__).resolve().parent
UNIT = "finish-homesystem-upgrade.service"
"""Not called like the units of the home, which are stopped and started together."""
_TEXT = """# Home System: finishes the upgrade that was cut off, or goes back. It is here only while there is one.
[Unit]
Description=Home System: finish an upgrade that was cut off
ConditionPathExists={state}/step.json

[Service]
Type=oneshot
ExecStart={run} --finish
TimeoutStartSec=infinity
"""
_BEGINS = 'import runpy\n\nrunpy.run_module("deploy.upgrading", run_name="__main__", alter_sys=True)\n'


def keep(place: Place) -> None:
    """Put it there. Raises UpgradeError, OSError."""
    folder = place.state / "driver"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "deploy").mkdir(parents=True)
    shutil.copytree(_OWN, folder / "deploy" / _OWN.name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "deploy" / "__init__.py").touch()
    # A folder with its own beginning, and no word in the environment: what it starts shall find its own code.
    put(folder / "__main__.py", _BEGINS, 0o644)
    python = f"exec {Path(sys.executable).resolve()} -I -B {folder}"
    put(folder / "run", f'#!/bin/sh\n{python} {place.package or "checkout"} "$@"\n', 0o700)
    unit, link = _unit(place), _link(place)
    put(unit, _TEXT.format(state=place.state, run=folder / "run"), 0o644)
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(unit)
    if place.systemd.exists():
        run(["systemctl", "daemon-reload"])


def forget(place: Place) -> None:
    """Take it away again."""
    for path in (_link(place), _unit(place)):
        path.unlink(missing_ok=True)
    shutil.rmtree(place.state / "driver", ignore_errors=True)


def _unit(place: Place) -> Path:
    return place.units / UNIT


def _link(place: Place) -> Path:
    return place.units / "multi-user.target.wants" / UNIT
