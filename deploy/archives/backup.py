"""One archive of a whole home, running or not: `home/…`, `signer/…` and `backup/…` where these are folders apart, and
what it is of. Sealed where the home has a key for that.

As root each folder is read by its own user, so that no file in it ever becomes root's.
"""

import datetime as dt
import gzip
import os
import pwd
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import msgspec

from deploy.archives import absent, sealing
from deploy.folder import owning
from deploy.folder import parts as apart
from deploy.pki.files import sync
from shared.running.config import Config, ConfigError
from shared.words.problem import HomeError

HOME, SIGNER, BACKUP = "home", "signer", "backup"
APART = (SIGNER, BACKUP)
"""What has a folder of its own beside an installed home's: for the keys of the authorities a user of its own, and for
where backups go to root, so that no service that is broken into sends them elsewhere, or takes them away."""
LABEL = "backup.toml"
VERSION = 1


class Label(Config, frozen=True):
    """What an archive is of. `folder`: where the home lay; its configuration names files by it."""

    version: int
    at: str
    folder: str


def parts(var: Path) -> dict[str, Path]:
    """The folders of which a home consists: its own, and those beside it that are there."""
    found = {name: place(var, name) for name in (HOME, *APART)}
    return {name: folder for name, folder in found.items() if name == HOME or folder.is_dir()}


def place(var: Path, part: str) -> Path:
    """Where a part of the home in `var` lies."""
    return var if part == HOME else var.with_name(f"{var.name}-{part}")


def write(var: Path, target: Path, now: dt.datetime, recipient: str | None = None) -> tuple[int, list[str]]:
    """Write the archive, mode 0600, whole or not at all; its size, and what is not in it, in words.

    It is sealed for `recipient`, the public half of the household's key (deploy/archives/sealing.py).

    Raises ConfigError where there is no home, HomeError: already-exists, no-proof (something could not be copied).
    """
    if not (var / "home.toml").exists():
        raise ConfigError(f"{var}: there is no home here to back up; set HOMESYSTEM_VAR to its folder")
    if target.exists():
        raise HomeError("already-exists", f"{target} exists; name another file.")
    label = Label(version=VERSION, at=now.isoformat(timespec="seconds"), folder=str(var))
    begun = target.with_name(f".{target.name}.new")
    needed, there = [one for one in absent.files(var) if os.path.lexists(one)], set[Path]()
    try:
        begun.unlink(missing_ok=True)
        with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with (
                sealing.sealed_into(file, recipient) as plain,
                gzip.GzipFile(fileobj=plain, mode="wb") as zipped,
                tarfile.open(fileobj=zipped, mode="w|") as archive,
            ):
                _put(archive, LABEL, toml(label).encode())
                for name, folder in parts(var).items():
                    packed_already: set[str] = set()
                    for inside, packed in _packed(folder):
                        for member, content in packed:
                            _check(folder / inside, member, packed_already)
                            member.name = f"{name}/{inside}{member.name}"
                            member.pax_headers = {}  # of a long name they repeat the former one, which would win
                            archive.addfile(member, content)
                        there.update(folder / inside / one for one in packed_already)
            absent.check(needed, there)
            file.flush()
            os.fsync(file.fileno())
        begun.replace(target)
        sync(target.parent)
    except OSError as error:
        raise HomeError("no-proof", f"{target} cannot be written: {error.strerror or error}.") from error
    finally:
        begun.unlink(missing_ok=True)
    return target.stat().st_size, [str(one) for one in absent.found(var, parts(var).values())]


def _check(folder: Path, member: tarfile.TarInfo, before: set[str]) -> None:
    """That it is a file of that folder, and comes once: a service that somebody broke into may have its hand in who
    packs its own, and one such name makes a backup that never comes back.
    """
    name = f"{folder}/{member.name}"
    words = member.name.split("/")
    if not member.isreg() or not all(words) or {".", ".."} & set(words) or name in before:
        raise HomeError("no-proof", f"{folder} could not be copied: what is packed there has {member.name!r} in it.")
    before.add(name)


def toml(label: Label) -> str:
    """As it stands in the archive."""
    lines = [f"{name} = {msgspec.json.encode(getattr(label, name)).decode()}" for name in label.__struct_fields__]
    return "# A backup of a Home System: `homesystem restore` brings it back.\n" + "\n".join(lines) + "\n"


def as_owner(folder: Path) -> dict[str, Any]:
    """What has a program of ours run as the owner of a folder, for root; nothing for the owner. Raises HomeError."""
    owner = folder.stat()
    if os.geteuid() not in {0, owner.st_uid}:
        raise HomeError("no-proof", f"{folder} is another user's: run this with sudo.")
    if os.geteuid() != 0:
        return {}
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": _groups(owner.st_uid, owner.st_gid)}


def _groups(user: int, group: int) -> list[int]:
    """Those of the home's user are of its services, whose databases it reads."""
    try:
        return os.getgrouplist(pwd.getpwuid(user).pw_name, group)
    except KeyError:  # a folder that was brought from another machine
        return []


def run_as_owner(module: str, folder: Path, **more: Any) -> "subprocess.CompletedProcess[bytes]":
    """Have a module of ours look at a folder as its owner, whatever it prints and how it ends. Raises HomeError."""
    command = [sys.executable, "-m", module, str(folder)]
    return subprocess.run(command, cwd="/", capture_output=True, check=False, **more, **as_owner(folder))  # noqa: S603 - ourselves


def _packed(folder: Path) -> Iterator[tuple[str, Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]]]:
    """Its files in the order in which they go in, and where in the folder these are from: what one user reads, at once.

    Mosquitto closes what it writes to all but its user; where that is another, only that one can read it.
    """
    whose = as_owner(folder)
    if not (apart.are_served(folder) and whose):
        yield "", _members(folder, [str(folder)], whose | {"cwd": "/"})
        return
    inside = f"{apart.SERVED}/broker/{apart.state('broker')}"
    yield "", _members(folder, [str(folder), inside], whose | {"cwd": "/"})
    broker = pwd.getpwnam(owning.user("broker"))
    # It may not come to its folder by the home's, which is closed to it: it begins there.
    as_broker = {"user": broker.pw_uid, "group": broker.pw_gid, "extra_groups": [], "cwd": folder / inside}
    yield f"{inside}/", _members(folder / inside, ["."], as_broker)


def _members(
    folder: Path, words: list[str], whose: dict[str, Any]
) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    command = [sys.executable, "-P", "-m", "deploy.archives.packing", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, **whose) as packing:  # noqa: S603 - ourselves
        assert packing.stdout is not None
        try:
            yield from _read(packing.stdout)
        except tarfile.ReadError:
            packing.wait()
            if packing.returncode == 0:
                raise
    if packing.returncode != 0:
        raise HomeError("no-proof", f"{folder} could not be copied; see above.")


def _read(stream: IO[bytes]) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    with tarfile.open(fileobj=stream, mode="r|") as packed:
        for member in packed:
            yield member, packed.extractfile(member)


def _put(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, BytesIO(content))
