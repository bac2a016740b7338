"""One package from one commit: the commit's files, the target's wheels, the tree, the papers, and dpkg-deb."""

import datetime as dt
import io
import os
import subprocess
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import NamedTuple

from deploy.debs import linked, locks, papers, programs, tree
from deploy.debs.packages import NOT_PACKED, Package
from deploy.debs.targets import Target


class Commit(NamedTuple):
    """What is packed: a commit of a checkout, its name, and when it was made."""

    checkout: Path
    name: str
    at: dt.datetime
    edited: bool
    """Whether the checkout has changes that are in no commit, and so are not packed."""


class Built(NamedTuple):
    """A package: its file, and how much an installation takes."""

    path: Path
    kib: int


def newest(checkout: Path) -> Commit:
    """The commit on which a checkout stands. Raises CalledProcessError where it is none of git's."""
    at = dt.datetime.fromtimestamp(int(_git(checkout, "log", "-1", "--format=%ct")), dt.UTC)
    return Commit(checkout, _git(checkout, "rev-parse", "HEAD"), at, bool(_git(checkout, "status", "--porcelain")))


def unpacked(commit: Commit, folder: Path) -> Path:
    """The commit's files in a folder."""
    command = ["git", "-C", str(commit.checkout), "archive", "--format=tar", commit.name]
    done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def build(
    commit: Commit, package: Package, target: Target, out: Path, version: str | None = None, *, quick: bool = False
) -> Built:
    """Make the package's file in `out`; `version` stands for the one of pyproject.toml, such as to try an update.

    `quick`: packed in a fifth of the time into a larger file.
    The same commit makes the same file, to the byte: dates are the commit's, owners root, and the order is sorted.
    """
    before = os.umask(0o022)
    try:
        with tempfile.TemporaryDirectory(prefix="homesystem-deb-") as made:
            source, root = unpacked(commit, Path(made) / "source"), Path(made) / "root"
            root.mkdir()
            full = target.version(version or _version(source))
            kib = _fill(commit, source, root, package, target, full, out / "wheels")
            path = out / f"{package.name}_{full}_{target.architecture.name}.deb"
            _pack(commit, root, path, quick=quick)
            return Built(path, kib)
    finally:
        os.umask(before)


def _fill(commit: Commit, source: Path, root: Path, package: Package, target: Target, version: str, kept: Path) -> int:
    """How much an installation takes, in KiB."""
    read = [locks.read((source / name).read_text()) for name in package.locks]
    wheels = programs.fetch(locks.chosen(read, target, NOT_PACKED), target, kept)
    tree.lay(source, root, package, target, wheels)
    venv = root / tree.PLACE.lstrip("/") / ".venv"
    site = venv / "lib" / target.interpreter / "site-packages"
    rights = papers.rights(source, site, f"{tree.PLACE}/.venv")
    papers.put(root, source, package, rights, papers.changelog(package, version, target, commit.name, commit.at))
    libraries = linked.dependencies(linked.compiled(site))
    kib = _kib(root)
    papers.write(root, package, papers.control(package, version, target, libraries, kib))
    return kib


def _pack(commit: Commit, root: Path, path: Path, *, quick: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    seconds = commit.at.timestamp()
    for one in (root, *root.rglob("*")):
        os.utime(one, (seconds, seconds), follow_symlinks=False)
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", f"-z{0 if quick else 6}", "--build", str(root), str(path)]
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(int(seconds))}
    subprocess.run(command, env=environment, capture_output=True, check=True)  # noqa: S603


def _version(source: Path) -> str:
    return str(tomllib.loads((source / "pyproject.toml").read_text())["project"]["version"])


def _kib(root: Path) -> int:
    """What the files take, each in whole KiB, as dpkg-gencontrol counts."""
    return sum(1 if path.is_symlink() or path.is_dir() else -(-path.stat().st_size // 1024) for path in root.rglob("*"))


def _git(checkout: Path, *words: str) -> str:
    command = ["git", "-C", str(checkout), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
