"""The programs of others in a package: wheels for the target, checked against the lock file, and unpacked."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from deploy.debs import locks
from deploy.debs.locks import Pin
from deploy.debs.targets import Target

_LIBRARIES = ("purelib", "platlib")


class UnavailableError(Exception):
    """A wheel that the lock file names cannot be had for the target; the message has pip's last words."""


def fetch(pins: Iterable[Pin], target: Target, kept: Path) -> list[Path]:
    """The wheels of the pins, in a folder of their own under `kept`, where a second build finds them.

    pip judges nothing by the machine that builds: it is told the target's Python and platforms, and takes no source.
    """
    wanted = locks.written(pins)
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:12]
    folder = kept / f"{target.suite.name}-{target.architecture.name}-{digest}"
    if not folder.exists():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        asked = part / "requirements.txt"
        asked.write_text(wanted)
        _pip(target, asked, part)
        asked.unlink()
        part.rename(folder)
    return sorted(folder.glob("*.whl"))


def _pip(target: Target, asked: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "--implementation=cp"]
    command += [f"--python-version={target.suite.python}", *(f"--platform={one}" for one in target.platforms)]
    command += [f"--dest={folder}", f"--requirement={asked}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
    if done.returncode != 0:
        raise UnavailableError(f"pip: {' '.join(done.stderr.strip().splitlines()[-3:])}")


def unpack(wheels: Iterable[Path], site: Path) -> None:
    """Put the wheels' modules into a folder `site-packages`, without the scripts, headers and pages beside them.

    Raises ValueError where two wheels bring the same file, or one would write outside.
    """
    taken: dict[PurePosixPath, str] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                place = None if member.is_dir() else placed(member.filename)
                if place is None:
                    continue
                if taken.setdefault(place, wheel.name) != wheel.name:
                    raise ValueError(f"{wheel.name} and {taken[place]} both bring {place}")
                (site / place).parent.mkdir(parents=True, exist_ok=True)
                (site / place).write_bytes(archive.read(member))


def placed(name: str) -> PurePosixPath | None:
    """Where a file of a wheel lies in `site-packages`; None for what does not belong there (PEP 427)."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"a wheel would write to {name}")
    if path.parts[0].endswith(".data"):
        return PurePosixPath(*path.parts[2:]) if len(path.parts) > 2 and path.parts[1] in _LIBRARIES else None
    return path
