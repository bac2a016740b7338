"""Packages of the agent that a hub offers to the Pis of its rooms: files in a folder, for each Debian and processor."""

import re
from collections.abc import Iterable
from pathlib import Path

from shared.running import installed

FOLDER = "packages"
"""In the home's folder, where the owner puts them; and beside the code, where a package of the hub may bring them."""
_NAME = re.compile(r"home-system-agent_[^_/]+\+deb(\d+)_([a-z0-9]+)\.deb")


def folders(var: Path) -> tuple[Path, ...]:
    """Where they may lie; what the owner put there goes before what came along."""
    return var / FOLDER, installed.CODE / FOLDER


def find(places: Iterable[Path], release: str, architecture: str) -> Path | None:
    """The one for a Debian (such as "12") on a processor (such as "arm64"); of several the one that came last."""
    for folder in places:
        fitting = [path for path in _packages(folder) if _target(path) == (release, architecture)]
        if fitting:
            return max(fitting, key=lambda path: (path.stat().st_mtime, path.name))
    return None


def targets(places: Iterable[Path]) -> list[str]:
    """For what there is one, in words such as "Debian 12 arm64"."""
    return sorted({f"Debian {' '.join(_target(path))}" for folder in places for path in _packages(folder)})


def _packages(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_file()]
    except OSError:  # there is none, or it is not ours to look into: nothing is offered
        return []


def _target(path: Path) -> tuple[str, str]:
    found = _NAME.fullmatch(path.name)
    assert found is not None
    return found[1], found[2]
