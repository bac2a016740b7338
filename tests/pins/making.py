"""How things of the cache are made: by commands whose failure is told, and by one run at a time."""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.booted.trees import UnavailableError

KEPT_SECONDS = 7 * 86400
_WITHIN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}


def cache() -> Path:
    """Where all of it is kept: HOMESYSTEM_PINS_CACHE, or a folder of the user's cache."""
    named = os.environ.get("HOMESYSTEM_PINS_CACHE")
    folder = Path(named) if named else Path.home() / ".cache" / "homesystem-pins"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()


def run(command: list[str], what: str) -> str:
    """What a command says. Raises UnavailableError with its last words where it fails."""
    made = subprocess.run(command, env=os.environ | _WITHIN, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        last = " | ".join((made.stderr or made.stdout).splitlines()[-4:])
        raise UnavailableError(f"{what} failed: {last}")
    return made.stdout


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One run makes a thing, others wait for it."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def forget_others(name: str, kept: Path) -> None:
    """Those of other recipes that nobody has used for a while; another checkout may use one just now."""
    os.utime(kept)
    for other in cache().glob(f"{name}-*"):
        if other.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(other)
