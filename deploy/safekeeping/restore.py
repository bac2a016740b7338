"""Brings a home back from the archive that `homesystem backup` wrote. Nothing that is there is lost: it goes aside."""

import contextlib
import datetime as dt
import gzip
import os
import pwd
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from deploy.archives import plan as plans
from deploy.archives import scratch
from deploy.archives.backup import APART, BACKUP, HOME, LABEL, VERSION, Label, parts, place
from deploy.folder import turns
from deploy.pki.files import sync
from shared.running.config import convert
from shared.words.problem import HomeError

T = TypeVar("T")
_CHUNK = 2**20
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, OSError)


def read(archive: Path) -> Label:
    """Read it to its end, so that a damaged one is found before anything is changed. Raises HomeError("invalid-value").

    Every file of it lies under one of the folders that a home has, and is a plain one.
    """
    label = None
    try:
        with gzip.open(archive) as whole:
            with tarfile.open(fileobj=whole, mode="r|") as packed:
                for member in packed:
                    file = packed.extractfile(member) if member.isreg() else None
                    if file is None or not _is_ours(member.name):
                        raise HomeError("invalid-value", f"{archive} holds {member.name!r}: it is no backup of a home.")
                    if member.name == LABEL:
                        label = _labelled(archive, file.read())
            # A tar ends before its gzip does, whose end holds the sum over all of it.
            while whole.read(_CHUNK):
                pass
    except FileNotFoundError:
        raise HomeError("invalid-value", f"{archive} is not there.") from None
    except _DAMAGED as error:
        raise HomeError("invalid-value", f"{archive} is damaged or cannot be read: {error}.") from error
    if label is None:
        raise HomeError("invalid-value", f"{archive} is no backup of a home: it has no {LABEL}.")
    if label.version > VERSION:
        raise HomeError("invalid-value", f"{archive} was written by a newer version; update this one first.")
    return label


def put_back(
    archive: Path,
    var: Path,
    now: dt.datetime,
    settle: Callable[[dict[str, Path], Label], T],
    *,
    own: Callable[[Path], None] = lambda _home: None,
    last: Callable[[], None] = lambda: None,
) -> tuple[list[Path], T]:
    """Put the archive's folders in the place of those that are there; where these went, and what `settle` says.

    The home must not run. `settle` has the folders, by what they are, before they lie in their place: where it raises,
    nothing is changed. `own` gives each service what is its own in the home, which is its user's by then: a power cut
    leaves none in its place that no service can read. `last` is called when all is ready and nothing is changed yet.
    Raises HomeError: invalid-value (damaged, or of a home in another folder).
    """
    label = read(archive)
    if label.folder != str(var):
        raise HomeError(
            "invalid-value",
            f"{archive} is of the home in {label.folder}, and its configuration names files there: restore it there.",
        )
    folders = parts(var) | _announced(archive, var)
    if (place(var, BACKUP) / plans.NAME).exists():
        folders.pop(BACKUP, None)  # where backups go from here is decided here already
    for folder in folders.values():
        if os.path.ismount(folder):  # it has to be renamed, and half a restore is none
            raise HomeError(
                "invalid-value",
                f"{folder} is a disk of its own, which cannot be put aside: unmount it for this, and move the home "
                "there afterwards.",
            )
    with contextlib.ExitStack() as undo:
        work = {}
        for name, folder in folders.items():
            work[name] = undo.enter_context(scratch.made(folder.parent, f".{folder.name}.restoring-"))
        unpack(archive, work)
        said = settle({name: made for name, made in work.items() if any(made.iterdir())}, label)
        for name, made in work.items():
            _give(made, place(var, name))
        own(work[HOME])
        last()
        return _swapped({place(var, name): made for name, made in work.items()}, now), said


def _swapped(new: dict[Path, Path], now: dt.datetime) -> list[Path]:
    """Put each folder of `new` in its place, all of them or none; where what was there went."""
    aside = []
    with contextlib.ExitStack() as back:
        for folder, made in new.items():
            if folder.exists() and any(path.name != turns.LOCK for path in folder.iterdir()):
                folder.rename(old := _aside(folder, now))
                back.callback(old.rename, folder)
                aside.append(old)
            elif folder.exists():
                (folder / turns.LOCK).unlink(missing_ok=True)
                folder.rmdir()
            made.rename(folder)
            back.callback(folder.rename, made)
        back.pop_all()
    for parent in {folder.parent for folder in new}:
        sync(parent)
    return aside


def _aside(folder: Path, now: dt.datetime) -> Path:
    """Where what lies there goes: dated, and where another went within the same second by the next that is free."""
    while (old := folder.with_name(f"{folder.name}.before-{now:%Y-%m-%dT%H%M%S}")).exists():
        now += dt.timedelta(seconds=1)
    return old


def _announced(archive: Path, var: Path) -> dict[str, Path]:
    """The folders beside the home's that the archive has, whether they are here or not."""
    return {name: place(var, name) for name in parts_in(archive) if name in APART}


def parts_in(archive: Path) -> set[str]:
    """Of which parts of a home an archive has something."""
    with tarfile.open(archive, "r|gz") as packed:
        return {member.name.partition("/")[0] for member in packed if member.name != LABEL}


def unpack(archive: Path, work: dict[str, Path]) -> None:
    """Write what an archive holds of each part into its folder. Raises HomeError, OSError."""
    with tarfile.open(archive, "r|gz") as packed:
        for member in packed:
            part, _, inside = member.name.partition("/")
            file = packed.extractfile(member) if member.isreg() else None
            if part not in work or file is None:
                continue
            if not _is_ours(member.name):  # as it was not when it was read to its end
                raise HomeError("invalid-value", f"{archive} was changed just now.")
            path = work[part] / inside
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, member.mode & 0o700), "wb") as made:
                shutil.copyfileobj(file, made)
                made.flush()
                os.fsync(made.fileno())
            path.chmod(member.mode & 0o755)
            os.utime(path, (member.mtime, member.mtime))


def _give(made: Path, folder: Path) -> None:
    """As root: to the owner of the folder that it replaces, else to the user named like it, else to the place's."""
    made.chmod(0o700)
    if os.geteuid() != 0:
        return
    place = folder if folder.exists() else folder.parent
    user, group = place.stat().st_uid, place.stat().st_gid
    if place != folder:
        with contextlib.suppress(KeyError):
            user, group = pwd.getpwnam(folder.name)[2:4]
    # Itself last, and through no link: what is the user's own already may be another thing a moment later.
    for path in (*made.rglob("*"), made):
        os.chown(path, user, group, follow_symlinks=False)


def _is_ours(name: str) -> bool:
    first, _, inside = name.partition("/")
    if name == LABEL:
        return True
    return first in {HOME, *APART} and bool(inside) and ".." not in inside.split("/") and not inside.startswith("/")


def _labelled(archive: Path, content: bytes) -> Label:
    try:
        return convert(msgspec.toml.decode(content), Label)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HomeError("invalid-value", f"{archive}: {LABEL} cannot be read: {error}.") from error
