"""Debian packages: the newer one, checked while all runs, and the one that is there, made anew to go back to."""

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.upgrading import choosing
from deploy.upgrading.choosing import APT, QUIET
from deploy.upgrading.place import Place, UpgradeError, run, say, shown

_MADE_WAY_FOR = frozenset({"home-system-agent"})
"""What a package of ours takes the place of."""


def newer(place: Place) -> Path:
    """The file of the newer package, in the upgrade's folder."""
    return place.state / "newer.deb"


def former(place: Place) -> Path:
    """The file of the package that was there."""
    return place.state / "former.deb"


def installed(place: Place) -> str:
    """The version that is there."""
    return run(["dpkg-query", "-W", "-f", "${Version}", place.package]).strip()


def fetch(place: Place, files: Sequence[Path]) -> str:
    """Bring the newer package into the upgrade's folder, from a file or by apt; its version, "" where none is newer.

    Raises UpgradeError where it is not for this machine, an older one, or cannot be had.
    """
    newer(place).unlink(missing_ok=True)
    if not files:
        shown([*APT, "update"], env=os.environ | QUIET)
        said = run(["apt-cache", "policy", place.package])
        candidate = re.search(r"Candidate: (\S+)", said)
        if candidate is None or not choosing.is_newer(candidate[1], installed(place)):
            return ""
        folder = place.state / "fetched"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o755)
        run([*APT, "download", f"{place.package}={candidate[1]}"], cwd=folder, env=os.environ | QUIET)
        file = next(folder.glob("*.deb")).rename(newer(place))
        folder.rmdir()
    else:
        file = choosing.chosen(place, files)
        shutil.copyfile(file, newer(place))
    version, here = choosing.field(newer(place), "Version"), installed(place)
    if version != here and not choosing.is_newer(version, here):
        raise UpgradeError(
            f"{file} is {version}, older than {here}, which runs here: older code does not read what newer code wrote. "
            "docs/packages.md says how to go back by hand"
        )
    return "" if version == here else version


def check(place: Place) -> None:
    """Whether apt would install the newer one; what it needs besides is fetched now. Raises UpgradeError."""
    said = run([*APT, "--simulate", "install", newer(place)], env=os.environ | QUIET)
    gone = set(re.findall(r"^Remv (\S+)", said, re.MULTILINE)) - _MADE_WAY_FOR
    if gone and (gone := gone - _provided(place, said)):
        raise UpgradeError(f"apt would remove {', '.join(sorted(gone))} for it; see to that first, then again")
    run([*APT, "--download-only", "install", newer(place)], env=os.environ | QUIET)


def _provided(place: Place, said: str) -> set[str]:
    """What the packages that come along stand for, too: a library may have another name in the next Debian, such as
    libreadline8t64 for libreadline8, and takes the place of the former one for everybody.
    """
    coming = re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", said, re.MULTILINE)
    known = [f"{name}={version}" for name, version in coming if name != place.package]
    if not known:
        return set()
    told = re.findall(r"^Provides: (.*)$", run(["apt-cache", "show", *known]), re.MULTILINE)
    return {one.split()[0] for line in told for one in line.split(",") if one.strip()}


def needed(place: Place) -> int:
    """How much the newer package takes once it is installed, in bytes."""
    return int(run(["dpkg-deb", "-f", newer(place), "Installed-Size"]).strip() or 0) * 1024


def taken(place: Place) -> int:
    """The same of the one that is there."""
    return int(run(["dpkg-query", "-W", "-f", "${Installed-Size}", place.package]).strip() or 0) * 1024


def repack(place: Place) -> None:
    """Make the file of the package that is there, of what dpkg knows of it: nobody else may have it any more."""
    work = place.state / "repacking"
    shutil.rmtree(work, ignore_errors=True)
    (work / "DEBIAN").mkdir(parents=True)
    work.chmod(0o755)
    (work / "DEBIAN").chmod(0o755)
    before = os.umask(0o022)
    try:
        for name in run(["dpkg-query", "-L", place.package]).splitlines():
            path = _at(name)
            if path.is_symlink() or path.is_file():  # a machine may keep no pages, and have none of them
                _link(path, work / name.lstrip("/"))
        fields = re.split(r"\n(?=\S)", run(["dpkg-query", "-s", place.package]).strip())
        told = [one for one in fields if not one.startswith(("Status:", "Conffiles:", "Config-Version:"))]
        (work / "DEBIAN" / "control").write_text("\n".join(told) + "\n")
        for script in run(["dpkg-query", "--control-list", place.package]).split():
            kept = run(["dpkg-query", "--control-path", place.package, script]).strip()
            shutil.copy(kept, work / "DEBIAN" / script)
        part = place.state / "former.part"
        run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", work, part])
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(former(place))
    finally:
        os.umask(before)
        shutil.rmtree(work, ignore_errors=True)


def _at(name: str) -> Path:
    """Where a file of a package lies on this machine."""
    return Path(name)


def _link(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        target.symlink_to(path.readlink())
        return
    try:
        os.link(path, target)
    except OSError:  # another disk, or one that knows no links
        shutil.copy2(path, target)


def install(place: Place, *, again: bool) -> None:
    """Install the newer package; `again` after it was cut off. Raises UpgradeError with apt's last words."""
    if again:
        with _locked(place) as environment:
            shown(["dpkg", "--configure", "-a"], env=environment)
    shown([*APT, "install", newer(place)], env=os.environ | QUIET)


def reinstall(place: Place) -> None:
    """Install the former one over whatever lies there, however half. Raises UpgradeError."""
    say("Putting the former version back …")
    with _locked(place) as environment:
        shown(["dpkg", "-i", former(place)], env=environment)


@contextlib.contextmanager
def _locked(place: Place) -> Iterator[dict[str, str]]:
    """dpkg's turn, waited for: it would not wait itself."""
    with place.dpkg_lock.open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield os.environ | QUIET | {"DPKG_FRONTEND_LOCKED": "1"}


def forget(place: Place) -> None:
    """Delete what was only for this upgrade."""
    for path in (newer(place), former(place), place.state / "former.part"):
        path.unlink(missing_ok=True)
    for folder in ("repacking", "fetched"):
        shutil.rmtree(place.state / folder, ignore_errors=True)
