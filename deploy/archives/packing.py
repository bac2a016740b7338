"""A living folder as a tar: databases copied by SQLite itself, everything else as it lies there.

`python -m deploy.archives.packing FOLDER [BUT]` writes it to standard output, without BUT, a folder in it. A backup
runs it as each folder's own user.
"""

import contextlib
import errno
import io
import os
import shutil
import sqlite3
import stat
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from shared.keeping import disks
from shared.words.problem import HomeError

_HEADER = b"SQLite format 3\0"
_WORK = ".backup-"
_LEFT_OUT = {"log", "turn.lock", "supervisord.conf"}
"""At the top of a folder: what is of no use elsewhere, and what is made anew."""
_PASSING = (".pid", ".new", "-wal", "-shm", "-journal")
_FIRST = "alerts.sqlite3"
"""Copied before the spools, so that they have at least what the record has: what it then lacks they send again."""
_WAIT_SECONDS = 30.0


def pack(folder: Path, stream: IO[bytes], but: str | None = None) -> None:
    """Write the folder's files, named from it, to `stream`. Raises HomeError("no-proof") where one cannot be copied."""
    for left in folder.glob(f"{_WORK}*"):  # of a backup that was killed
        shutil.rmtree(left)
    with contextlib.ExitStack() as end, tarfile.open(fileobj=stream, mode="w|") as tar:
        work = None
        for path in sorted(files(folder, but), key=lambda path: (path.name != _FIRST, path)):
            name = str(path.relative_to(folder))
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                if is_database(path):
                    work = work or end.enter_context(tempfile.TemporaryDirectory(prefix=_WORK, dir=folder))
                    copy = Path(work) / "copy"
                    copy_database(path, copy)
                    tar.add(copy, name, recursive=False)
                    copy.unlink()
                else:
                    _add(tar, path, name)


def files(folder: Path, but: str | None = None) -> Iterator[Path]:
    """What belongs into a backup: plain files alone, no links, no sockets, nothing that only the running home needs.

    `but`: a folder in it that is left out.
    """
    return (path for path in _all(folder, but) if path.is_file() and not path.is_symlink())


def links(folder: Path) -> Iterator[Path]:
    """What would belong into a backup and does not get into it, since it is a link."""
    return (path for path in _all(folder) if path.is_symlink())


def _all(folder: Path, but: str | None = None) -> Iterator[Path]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        if but is not None and path.is_relative_to(folder / but):
            continue
        if inside[0] in _LEFT_OUT or inside[0].startswith(_WORK) or path.name.endswith(_PASSING):
            continue
        yield path


def is_database(path: Path) -> bool:
    """Whether SQLite made it. Raises HomeError("no-proof") for what is no plain file."""
    with _plain(path) as file:
        return file.read(len(_HEADER)) == _HEADER


def copy_database(path: Path, copy: Path) -> None:
    """One consistent file, whoever writes meanwhile; never a copy of the file itself, which may be stale or torn."""
    copy.touch(mode=0o600)
    try:
        # A connection of its own: VACUUM INTO is refused inside a transaction, and must not wait in a service.
        # The file is closed after it, since closing any would let go of SQLite's locks.
        with (
            _plain(path) as file,
            contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=_WAIT_SECONDS)) as database,
        ):
            database.execute("PRAGMA schema_version")
            if not _is_opened_twice(file):
                raise HomeError("no-proof", f"{path} cannot be copied: another file took its place just now.")
            database.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.Error as error:
        raise HomeError("no-proof", f"{path} cannot be copied: {disks.why(copy, error)}") from error


def _plain(path: Path) -> IO[bytes]:
    """Through no link, and no pipe that keeps us waiting: whose folder it is may have put one there just now, to what
    we may read and they may not.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO):
            raise
        raise HomeError("no-proof", f"{path} cannot be copied: it is no plain file any more.") from error
    file = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise HomeError("no-proof", f"{path} cannot be copied: it is no plain file any more.")
    return file


def _is_opened_twice(file: IO[bytes]) -> bool:
    """Whether SQLite, which follows links, opened the same one as we did."""
    ours, found = os.fstat(file.fileno()), 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # that of the list itself
            found += os.path.samestat(ours, os.fstat(int(descriptor.name)))
    return found > 1


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    """Read at once, as a file may grow while a tar that has told its length already is written."""
    with _plain(path) as file:
        about, content = os.fstat(file.fileno()), file.read()
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(content), stat.S_IMODE(about.st_mode), int(about.st_mtime)
    tar.addfile(member, io.BytesIO(content))


if __name__ == "__main__":
    try:
        pack(Path(sys.argv[1]), sys.stdout.buffer, *sys.argv[2:3])
    except BrokenPipeError:  # whoever reads it gave up, and says why
        os._exit(1)
    except (HomeError, OSError) as failure:
        print(failure.detail if isinstance(failure, HomeError) else failure, file=sys.stderr)
        sys.exit(1)
