"""`make pythons`: the unit tests on every Python from 3.11 on that can be had here, and which could not.

The machine's own, pyenv's and uv's; and, for root with debootstrap, those of Debian's suites in trees of their own.
`python -m tests.pythons 3.14` runs that one alone.
Trees and environments are kept in the user's cache folder; nothing of the machine is changed.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests import brokers

ROOT = Path(__file__).resolve().parent.parent
OLDEST, NEWEST = (3, 11), (3, 14)
SUITES = ("bookworm", "trixie", "sid")
PACKAGES = ("python3", "python3-venv", "ca-certificates", "mosquitto", "iproute2", "procps", "git")
"""What the unit tests ask for beside Python."""
_LOCK = ROOT / "requirements-dev.lock"
_VERSION = re.compile(r"Python (\d+)\.(\d+)\.\S+")
_WORK, _ENVIRONMENT = "/work", "/environment"


class Python(NamedTuple):
    """One interpreter, as (major, minor), and the folder that is the root of its world: `/` for this machine's."""

    version: tuple[int, int]
    command: str
    world: Path = Path("/")

    @property
    def name(self) -> str:
        """How it is told."""
        where = "" if self.world == Path("/") else f" ({self.world.name})"
        return f"Python {self.version[0]}.{self.version[1]}{where}"


def here() -> Iterator[Python]:
    """One of each version that this machine has."""
    minors = range(OLDEST[1], NEWEST[1] + 1)
    places = [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep) if "shims" not in place]
    places += sorted(Path.home().glob(".pyenv/versions/*/bin"))
    places += sorted((Path.home() / ".local/share/uv/python").glob("*/bin"))
    for minor in minors:
        candidates = (place / f"python3.{minor}" for place in places)
        found = next((each for each in candidates if each.exists() and _version(each) == (3, minor)), None)
        if found is not None:
            yield Python((3, minor), str(found))


def in_suites(wanted: set[tuple[int, int]]) -> Iterator[Python]:
    """Of each wanted version one from Debian; only for root."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        return
    for suite in SUITES:
        tree = _tree(suite)
        version = _version(Path("/usr/bin/python3"), tree)
        if version in wanted:
            wanted.discard(version)
            yield Python(version, "/usr/bin/python3", tree)


def test(python: Python) -> bool:
    """Make its environment and run the unit tests in it; whether they passed."""
    work, environment = str(ROOT), str(_cache() / f"{python.version[0]}.{python.version[1]}")
    if python.world != Path("/"):
        work, environment = _WORK, _ENVIRONMENT
        _copy(python.world / work.lstrip("/"))
    interpreter = f"{environment}/bin/python"
    installed = python.world / environment.lstrip("/") / f"installed-{_LOCK.name}"
    if not installed.exists() or installed.read_bytes() != _LOCK.read_bytes():
        _must(python, [python.command, "-m", "venv", "--clear", environment])
        lock = f"{work}/{_LOCK.name}"
        _must(python, [interpreter, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", lock])
        installed.write_bytes(_LOCK.read_bytes())
    command = f"cd {work} && exec {interpreter} -m pytest -q -p no:cacheprovider tests/unit"
    return _run(python, ["/bin/sh", "-c", command]) == 0


def main() -> int:
    """Run them all; 1 where one failed."""
    every = {f"3.{minor}": (3, minor) for minor in range(OLDEST[1], NEWEST[1] + 1)}
    wanted = {every[name] for name in sys.argv[1:] or every}
    found = [one for one in here() if one.version in wanted]
    missing = wanted - {one.version for one in found}
    if missing:
        found += in_suites(set(missing))
    told: list[tuple[str, bool]] = []
    for python in found:
        print(f"== {python.name}", flush=True)
        told.append((python.name, test(python)))
    print()
    for name, passed in told:
        print(f"{name}: {'passed' if passed else 'FAILED'}")
    for _, minor in sorted(missing - {one.version for one in found}):
        print(f"Python 3.{minor}: skipped: not on this machine, and not to be had from Debian's suites")
    return 0 if all(passed for _, passed in told) else 1


def _tree(suite: str) -> Path:
    """A small Debian of that suite."""
    tree = _cache() / suite
    names, made_of = ",".join(PACKAGES), tree / "made-of"
    if not made_of.exists() or made_of.read_text() != names:
        shutil.rmtree(tree, ignore_errors=True)
        made = ["debootstrap", "--variant=minbase", f"--include={names}", suite, str(tree), brokers.mirror()]
        subprocess.run(made, check=True, stdout=sys.stderr)
        for path in Path("/usr/local/share/ca-certificates").rglob("*.crt"):
            shutil.copy(path, tree / "usr/local/share/ca-certificates" / path.name)
        subprocess.run(["chroot", str(tree), "update-ca-certificates"], check=True, stdout=sys.stderr)
        made_of.write_text(names)
    shutil.copy("/etc/resolv.conf", tree / "etc/resolv.conf")
    return tree


def _copy(work: Path) -> None:
    """The project as it is, without what it ignores."""
    shutil.rmtree(work, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, work / name)


def _run(python: Python, command: list[str]) -> int:
    """In its world: for a tree with /proc and the few devices that tests open, in namespaces that end with it."""
    if python.world != Path("/"):
        root = python.world
        mounts = (
            f"mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev && "
            f'exec chroot {root} env -u PIP_FIND_LINKS HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"'
        )
        command = ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", mounts, "sh", *command]
    return subprocess.run(command, check=False).returncode


def _must(python: Python, command: list[str]) -> None:
    if _run(python, command) != 0:
        raise SystemExit(f"{python.name}: {' '.join(command)} failed")


def _version(command: Path, world: Path = Path("/")) -> tuple[int, int] | None:
    prefix = [] if world == Path("/") else ["chroot", str(world)]
    said = subprocess.run([*prefix, str(command), "--version"], capture_output=True, text=True, check=False).stdout
    match = _VERSION.match(said)
    return (int(match[1]), int(match[2])) if match else None


def _cache() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "homesystem" / "pythons"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
