"""`python -m tests.exposure [REVISION]`: how exposed each unit is by `systemd-analyze security`, beside an older one.

Both are judged by the same command in the same run. Ends with 1 where a unit is worse than it was; one that is new is
held to the worst of the older ones.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from deploy.folder.home import ROOT

BEFORE = "e6b9bfa"
"""The units as they were before they were watched."""
FOLDER = "deploy/systemd"
AS_ROOT = {"homesystem-backup.service": 2.3}
"""What a unit may have that begins as root, as it alone has where backups go, and becomes the user of each folder that
it copies."""


class Exposure(NamedTuple):
    """One unit: systemd's figure from 0 (none) to 10, before (None where it is new) and now."""

    unit: str
    before: float | None
    now: float


def is_possible(revision: str = BEFORE) -> bool:
    """Whether there is a systemd to ask, and the older units are at hand."""
    if shutil.which("systemd-analyze") is None:
        return False
    known = subprocess.run(
        ["git", "cat-file", "-e", f"{revision}^{{commit}}"], cwd=ROOT, capture_output=True, check=False
    )
    return known.returncode == 0


def compare(revision: str = BEFORE) -> list[Exposure]:
    """Every service of today."""
    now = {path.name: path.read_text() for path in sorted((ROOT / FOLDER).glob("*.service"))}
    listed = _git("ls-tree", "--name-only", revision, f"{FOLDER}/").split()
    before = {Path(path).name: _git("show", f"{revision}:{path}") for path in listed if path.endswith(".service")}
    then, today = _judge(before), _judge(now)
    return [Exposure(name, then.get(name), figure) for name, figure in today.items()]


def worse(found: list[Exposure]) -> list[Exposure]:
    """Those that are more exposed than they were, or new and more exposed than any was."""
    most = max(one.before for one in found if one.before is not None)
    return [one for one in found if one.now > (AS_ROOT.get(one.unit, most) if one.before is None else one.before)]


def _judge(units: dict[str, str]) -> dict[str, float]:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in units.items():
            path = Path(folder) / name.replace("@.", "@hall.")
            path.write_text(text)
            judged = subprocess.run(
                ["systemd-analyze", "security", "--offline=true", str(path)], capture_output=True, text=True, check=True
            )
            figure = re.search(r"Overall exposure level for .*: ([0-9.]+)", judged.stdout)
            assert figure is not None, judged.stdout
            found[name] = float(figure[1])
    return found


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    compared = compare(*sys.argv[1:])
    for one in compared:
        print(f"{one.unit:<36} before {'new' if one.before is None else one.before!s:>4}   now {one.now}")
    sys.exit(1 if worse(compared) else 0)
