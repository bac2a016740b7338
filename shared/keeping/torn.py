"""An SQLite file that a card, a disk or a hand has spoilt: found, put aside under a dated name, and begun anew.

For files whose owner goes on without a person: the spools and the rooms' ledgers. Nothing is ever deleted; what can
still be read is in the new file before it takes the old one's place.
"""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from shared.keeping.salvage import highest_number, take_over
from shared.running.config import ConfigError

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps next to a file, and what goes aside with it; the log first (`set_aside`)."""
CUT = "it is cut to nothing"
_TORN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM}
"""What another file would suffer from as well."""
_NOTHING_BYTES = 1
"""What SQLite takes for a file that it may begin."""
_PROBE_BYTES = 64 * 1024
_WHOLLY_BYTES = 1024 * 1024
"""Of a larger file the indexes are not compared with their tables: 10 MB would cost a small board 0.4 s at every start.

What only an index lost shows when it is used.
"""


Sense = Callable[[sqlite3.Connection], str | None]
"""Says what makes no sense in a file that SQLite takes for whole; None where all does."""


class TornError(ConfigError):
    """An SQLite file that is torn, or that its disk does not let us use. A service waits for another (`reopening`)."""


class NoRoomError(TornError):
    """Its disk is full: nothing is known against the file."""


class Torn(NamedTuple):
    """A file that was put aside."""

    aside: Path
    reason: str
    rows: dict[str, int]
    """How many rows of each table were taken over."""
    written: float
    """When the torn file was last written, by the clock of then, in seconds since 1970."""


def is_torn(error: BaseException) -> bool:
    """Whether this error says that the file itself is spoilt, so that only another file helps."""
    # The driver stumbles over a name that is no text any more while it words SQLite's own error.
    return _code(error) in _TORN or isinstance(error, UnicodeDecodeError)


def is_cut(path: Path) -> bool:
    """Whether nothing is left of a file. Not opened to see: SQLite would begin it anew, and delete its log.

    One whose maker was killed in that very moment looks like this, too: better told once too often.
    """
    return path.exists() and path.stat().st_size <= _NOTHING_BYTES


def fault_in_use(path: Path) -> str | None:
    """What SQLite finds wrong in a file that others have open, reading all of it; None where it finds nothing.

    Raises sqlite3.Error or OSError where that says nothing about the file.
    """
    try:
        with _looked_at(path, "mode=ro") as db:
            found = db.execute("PRAGMA quick_check(1)").fetchone()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if is_torn(error):
            return str(error)
        raise
    return None if found == ("ok",) else "it is malformed"


def identity(path: Path) -> tuple[int, int] | None:
    """What tells this file from another one of its name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def examine(path: Path, model: sqlite3.Connection | None = None, sense: Sense | None = None) -> str | None:
    """Why this file cannot be used, in words; None where it can, or is not there yet. Reads all of it, changes nothing.

    `model`: an open file of the shape it should have. Raises sqlite3.Error or OSError where it is the disk that takes
    nothing: another file would do no better.
    """
    log = path.with_name(path.name + "-wal")
    if is_cut(path) or not path.exists():
        return CUT if path.exists() or _has_bytes(log) else None
    try:
        # Never to write: whoever closes a file writes its log into it, and this log may be another file's. Only what an
        # interrupted change of the mode left has to be written back before anything can be read.
        journal = path.with_name(path.name + "-journal").exists()
        has_log = _has_bytes(log)
        with _looked_at(path, "mode=rw" if journal else "mode=ro" if has_log else "immutable=1") as db:
            check = "integrity_check" if path.stat().st_size <= _WHOLLY_BYTES else "quick_check"
            found = db.execute(f"PRAGMA {check}(1)").fetchone()
            if found is None or found[0] != "ok":
                return "it is malformed" if found is None else f"it is malformed: {found[0].splitlines()[-1]}"
            if model is not None and (lost := _lost_columns(db, model)):
                return f"it has no column {lost}"
            if sense is not None and (nonsense := sense(db)) is not None:
                return nonsense
            with _looked_at(path, "immutable=1") as alone:
                if highest_number(alone) > highest_number(db):
                    return "its write-ahead log is of another time"
        if not os.access(path, os.W_OK):
            _try_folder(path)
            return "it cannot be written"
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if _code(error) in _PASSING:
            raise
        if not is_torn(error):
            _try_folder(path)
        return str(error)
    return None


def set_aside(path: Path, now: float) -> Path:
    """Give the file and what lies beside it the name `<name>.torn-YYYYMMDDTHHMMSSZ`; returns it. Raises OSError.

    The log goes first: a new file that found it would take it for its own.
    """
    aside = _name_of_aside(path, now)
    for end in (*BESIDE, ""):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + end).rename(aside.with_name(aside.name + end))
    _sync(path.parent)
    return aside


def mend(
    path: Path,
    *,
    schema: str | bytes,
    tables: Sequence[str],
    finish: Callable[[sqlite3.Connection, Torn], None],
    sense: Sense | None = None,
    now: float,
) -> Torn | None:
    """Where the file at `path` cannot be used: put a new one in its place, and it aside. None where all is well.

    The new one is made by `schema` (SQL, or a file that has the tables) with the readable rows of `tables`; `finish`
    may add to it before it is in place. Whatever interrupts this, the next call goes on. Raises sqlite3.Error or
    OSError: the disk takes no file now, and the old one lies where it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.mending")
    with _alone(path.parent), contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        if isinstance(schema, bytes):
            model.deserialize(schema)
        else:
            model.executescript(schema)
        if made.exists() and not path.exists():  # interrupted between the two
            made.rename(path)
        # A whole file was made by migrations, whose older steps lack columns of the newer ones.
        reason = examine(path, model if isinstance(schema, str) else None, sense)
        if reason is None:
            return None
        made.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(made, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = MEMORY")  # one that is not finished is made again
            db.execute("PRAGMA synchronous = FULL")
            model.backup(db)
            db.execute("BEGIN IMMEDIATE")
            rows = take_over(path, path.with_name(path.name + "-wal"), db, tables)
            torn = Torn(_name_of_aside(path, now), reason, rows, _last_written(path, now))
            finish(db, torn)
            db.execute("COMMIT")
        _give(made, path)
        set_aside(path, now)
        made.rename(path)
        _sync(path.parent)
    return torn


@contextlib.contextmanager
def _looked_at(path: Path, how: str) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)) as db:
        yield db


def _has_bytes(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _lost_columns(db: sqlite3.Connection, model: sqlite3.Connection) -> str:
    """What no version of a table was ever without, and this one is."""
    for (table,) in model.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        needed = [
            row[1] for row in model.execute(f"PRAGMA table_info({table})") if (row[3] or row[5]) and row[4] is None
        ]
        there = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
        if there and (lost := [name for name in needed if name not in there]):
            return f"{table}.{lost[0]}"
    return ""


def _name_of_aside(path: Path, now: float) -> Path:
    """The first second from now on whose name is free."""
    while True:
        aside = path.with_name(f"{path.name}.torn-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}")
        if not any(aside.with_name(aside.name + end).exists() for end in (*BESIDE, "")):
            return aside
        now += 1.0


def _last_written(path: Path, now: float) -> float:
    files = [path.with_name(path.name + end) for end in ("", "-wal")]
    return max((file.stat().st_mtime for file in files if file.exists()), default=now)


def _give(made: Path, old: Path) -> None:
    """The new file belongs to whom the old one belonged: a command of root's may be the first to find it torn."""
    if old.exists():
        was = old.stat()
        made.chmod(was.st_mode & 0o666 | 0o600)
        if os.geteuid() == 0:
            os.chown(made, was.st_uid, was.st_gid)


def _try_folder(path: Path) -> None:
    """Raises OSError where the disk takes no file: then it is not this one that is at fault."""
    probe = path.with_name(f"{path.name}.probe")
    try:
        with probe.open("wb") as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    finally:
        probe.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Of the processes that find a file torn at once, one mends it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _code(error: BaseException) -> int:
    """SQLite's primary code; 0 for what is no error of its."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
