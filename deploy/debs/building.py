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

from deploy.debs import bill, linked, locks, numbering, papers, programs, tree
from deploy.debs.packages import AGENT, NOT_PACKED, Package
from deploy.debs.targets import ARCHITECTURES, Target, targets
from shared.running.offered import FOLDER


class Commit(NamedTuple):
    """What is packed: a commit of a checkout, its name, and when it was made."""

    checkout: Path
    name: str
    at: dt.datetime
    edited: bool
    """Whether the checkout has changes that are in no commit, and so are not packed."""
    tags: frozenset[str] = frozenset()
    """Those that mark this commit."""
    past_tags: frozenset[str] = frozenset()
    """Those that mark this commit or an earlier one."""


class Built(NamedTuple):
    """A package: its file, how much an installation takes, and the file of its bill of materials."""

    path: Path
    kib: int
    bill: Path


def newest(checkout: Path) -> Commit:
    """The commit on which a checkout stands. Raises CalledProcessError where it is none of git's."""
    at = dt.datetime.fromtimestamp(int(_git(checkout, "log", "-1", "--format=%ct")), dt.UTC)
    return Commit(
        checkout,
        _git(checkout, "rev-parse", "HEAD"),
        at,
        bool(_git(checkout, "status", "--porcelain")),
        frozenset(_git(checkout, "tag", "--points-at", "HEAD").split()),
        frozenset(_git(checkout, "tag", "--merged", "HEAD").split()),
    )


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
    """Make the package's file in `out`, and its bill of materials beside it.

    `version` stands for the one that the commit has, such as to try an update.
    `quick`: packed in a fifth of the time into a larger file.
    The same commit makes the same file, to the byte: dates are the commit's, owners root, and the order is sorted.
    """
    before = os.umask(0o022)
    try:
        with tempfile.TemporaryDirectory(prefix="homesystem-deb-") as made:
            source = unpacked(commit, Path(made) / "source")
            return _built(commit, source, package, target, out, version, quick=quick)
    finally:
        os.umask(before)


def _built(
    commit: Commit, source: Path, package: Package, target: Target, out: Path, version: str | None, *, quick: bool
) -> Built:
    """See `build`; `source` has the commit's files, and keeps them as they are."""
    with tempfile.TemporaryDirectory(prefix="homesystem-deb-") as made:
        root = Path(made) / "root"
        root.mkdir()
        full = target.version(version or derived(commit, _version(source)))
        wheels = _wheels(source, package, target, out / "wheels")
        if package.kind == "hub":
            _offer(commit, source, root, out, version, quick=quick)
        kib = _fill(commit, source, root, package, target, full, wheels)
        path = out / f"{package.name}_{full}_{target.architecture.name}.deb"
        _pack(commit, root, path, quick=quick)
        beside = path.with_suffix(".cdx.json")
        beside.write_text(bill.written(bill.bill(package, full, target, commit.name, commit.at, wheels)))
        return Built(path, kib, beside)


_offered: dict[tuple[str, str | None, Target, bool], tuple[str, bytes]] = {}
"""Packages of the agent that were built already: each hub's package brings the same ones."""


def _offer(commit: Commit, source: Path, root: Path, out: Path, version: str | None, *, quick: bool) -> None:
    """Lay the agent's packages of every target where a hub offers them to the Pis of its rooms."""
    place = root / tree.PLACE.lstrip("/") / FOLDER
    place.mkdir(parents=True)
    for target in (one for processor in ARCHITECTURES for one in targets("both", processor.name)):
        key = (commit.name, version, target, quick)
        with tempfile.TemporaryDirectory() as made:
            if key not in _offered:
                (Path(made) / "wheels").symlink_to(out / "wheels")
                path = _built(commit, source, AGENT, target, Path(made), version, quick=quick).path
                _offered[key] = path.name, path.read_bytes()
        name, content = _offered[key]
        (place / name).write_bytes(content)


def derived(commit: Commit, declared: str) -> str:
    """The version of a commit, whose pyproject.toml declares one."""
    tag = f"v{declared}"
    return numbering.upstream(declared, commit.at, is_released=tag in commit.tags, was_released=tag in commit.past_tags)


def _wheels(source: Path, package: Package, target: Target, kept: Path) -> list[Path]:
    read = [locks.read((source / name).read_text()) for name in package.locks]
    return programs.fetch(locks.chosen(read, target, NOT_PACKED), target, kept)


def _fill(
    commit: Commit, source: Path, root: Path, package: Package, target: Target, version: str, wheels: list[Path]
) -> int:
    """How much an installation takes, in KiB."""
    tree.lay(source, root, package, target, wheels)
    venv = root / tree.PLACE.lstrip("/") / ".venv"
    site = venv / "lib" / target.interpreter / "site-packages"
    rights = papers.rights(source, site, f"{tree.PLACE}/.venv")
    told = (source / "CHANGELOG.md").read_text()
    papers.put(root, source, package, rights, papers.changelog(package, version, target, commit.name, commit.at, told))
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
