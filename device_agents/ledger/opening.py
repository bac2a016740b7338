"""Opens the file of a room's ledger whatever has become of it, so that a card that is torn does not end the room.

A file that makes no sense goes aside, and what can be read of it into a new one. Where the card takes no file at all,
memory holds what is known until it does.
"""

import contextlib
import fcntl
import logging
import os
import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

from device_agents.ledger import tables as ledger_tables
from shared.keeping.torn import fault_in_use, identity
from shared.proof.spool import ORDINARY_MOST, Spool
from shared.running.config import EX_TEMPFAIL, ConfigError
from shared.running.log import facts
from shared.words.messages import AuditEvent, Who, utc
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

KEPT_AGAIN = "audit:kept-again"
"""The event that tells that memory's word has come to the card."""
CLOSELY_BYTES = 4 * 1024 * 1024
"""So much is read in some 30 ms on a small board."""
_ROOM_BYTES = 256 * 1024
_IN_MEMORY_MOST = 1000
"""So many ordinary events wait in a board's memory: half a megabyte."""
_PAGES_BEFORE_CHECKPOINT = 4000
_AILING = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_ERROR,  # of words that never change: a table is gone
}
"""What another opening may help with; a card that is only full needs none (SQLITE_FULL)."""
_PASSING = {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_TRUNCATE}
"""What a card says also when it takes no more just now: it is given some time."""


class Files(NamedTuple):
    """An open ledger: its own connection and its spool's, and whether a card keeps what they write."""

    db: sqlite3.Connection
    spool: Spool
    kept: bool
    whole: bool
    """False where something that was known before may be missing."""
    identity: tuple[int, int] | None
    """What tells the file from another of its name."""

    def close(self) -> None:
        """Close both, whatever they say to it."""
        self.spool.close()
        with contextlib.suppress(sqlite3.Error):
            self.db.close()


class Guard:
    """Keeps a second agent out, and knows whether the last one ended by itself: else its last words may be lost.

    Both by a file beside the ledger, which is empty unless an agent is there or was killed.
    """

    def __init__(self, path: Path) -> None:
        """Raises ConfigError where another agent uses the ledger. A card that lets nobody lock is no reason to wait."""
        self.ended_well = True
        self._file: int | None = None
        try:
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _open_lock(path.with_suffix(".lock"))
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.ended_well = os.fstat(self._file).st_size == 0
        except BlockingIOError:
            assert self._file is not None
            os.close(self._file)
            used = ConfigError(f"data: another agent is using {path}; stop it first")
            used.exit_code = EX_TEMPFAIL  # one that was killed may be on its way out: the unit tries again
            raise used from None
        except OSError as error:
            log.warning("Ledger cannot be locked", extra=facts(path=path, reason=error))

    def begin(self) -> None:
        """From now on it shows where an agent does not end by itself."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.pwrite(self._file, b"in use\n", 0)

    def end(self) -> None:
        """The agent ends by itself: what it knows is in its file, or in the log beside that."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # then the next one is as careful as after a kill
                os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Let another agent in."""
        if self._file is not None:
            os.close(self._file)


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:  # a card that is read-only may still have it
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def open_files(path: Path) -> Files:
    """Open the ledger at `path`, mended where it is torn, else in memory with what can be read of it.

    An event in its spool tells what was found.
    """
    try:
        return _open_kept(path)
    except (sqlite3.Error, OSError, HomeError) as error:
        log.error(
            "No ledger can be written: until then nothing critical is obeyed but what is safe. See that the card is "
            "mounted for writing, has space, and that its folder belongs to the agent's user, or replace it; the room "
            "tries again by itself",
            extra=facts(path=path, reason=error),
        )
        return _opened(path, memory=str(error))


def opened_anew(path: Path, old: Files, ails: str | None) -> Files | None:
    """The ledger once more, where the one in use ails or is in memory; None where memory still is all there is."""
    if old.kept:
        log.error("Ledger ails", extra=facts(path=path, reason=ails))
        old.close()
        return open_files(path)
    if not _takes_files(path):
        return None
    try:
        new = _open_kept(path)
    except (sqlite3.Error, OSError, HomeError):
        return None
    try:
        _move(old, new)
    except (sqlite3.Error, HomeError) as error:
        log.warning("Ledger cannot be written yet", extra=facts(path=path, reason=error))
        new.close()
        return None
    old.close()
    log.info("Ledger is written again", extra=facts(path=path))
    return new


def changed(path: Path, files: Files, *, closely: bool) -> str | None:
    """What became of a file under its agent; None where nothing did. SQLite itself looks at what it has in memory.

    A large file is looked at closely only where its agent is told so by an error: a command may be waiting.
    """
    if (found := identity(path)) != files.identity:
        return "it is gone" if found is None else "another file has its name"
    try:
        if closely and path.stat().st_size <= CLOSELY_BYTES:
            return fault_in_use(path)
    except (sqlite3.Error, OSError) as error:
        return ailment(error)
    return None


def ailment(error: BaseException | None) -> str | None:
    """What is wrong with a file, where this error, or what caused it, says that it should be opened anew."""
    while error is not None:
        if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
            code = getattr(error, "sqlite_errorcode", None)  # none: it is Python that cannot read a text
            full = code == sqlite3.SQLITE_IOERR_SHMSIZE
            return str(error) if code is None or (code & 0xFF in _AILING and not full) else None
        error = error.__cause__
    return None


def may_pass(error: BaseException | None) -> bool:
    """Whether this error, or what caused it, may be over by itself."""
    while error is not None:
        if getattr(error, "sqlite_errorcode", None) in _PASSING:
            return True
        error = error.__cause__
    return False


def _takes_files(path: Path) -> bool:
    """Whether it is worth while to try: a room without a ledger asks again and again, and has other things to do."""
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return False
    return (
        not disk.f_flag & os.ST_RDONLY
        and disk.f_bavail * disk.f_frsize >= _ROOM_BYTES
        and os.access(path.parent, os.W_OK | os.X_OK)
    )


def _open_kept(path: Path) -> Files:
    files = _opened(path)
    try:
        # A card that only lends itself to be read shows that at a write.
        files.db.execute("INSERT OR REPLACE INTO note (name, body) VALUES ('opened', ?)", (str(time.time()).encode(),))
    except sqlite3.Error:
        files.close()
        raise
    if (torn := files.spool.torn) is not None:
        log.error(
            "Ledger was torn: it lies aside, and a new one has what could be read. The card may be failing: replace it "
            "if this comes again (docs/rooms.md)",
            extra=facts(path=path, aside=torn.aside, reason=torn.reason, rows=torn.rows),
        )
    return files


def _opened(path: Path, *, memory: str | None = None) -> Files:
    spool = Spool(
        path,
        source=path.stem,
        further=ledger_tables.SCHEMA,
        kept=ledger_tables.TABLES,
        sense=ledger_tables.complaint,
        anew=ledger_tables.doubt,
        memory=memory,
        ordinary_most=ORDINARY_MOST if memory is None else _IN_MEMORY_MOST,
    )
    try:
        db = spool.connect()
        ledger_tables.bring_up_to_date(db)
        if memory is not None:
            db.execute("DELETE FROM event WHERE receipted_at IS NOT NULL")  # the card has them, for who asks again
        # Ordinary commands pay no disk sync; the loop checkpoints when it is idle, this is the backstop.
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA cache_size = -200")  # KiB: the board has little memory, and rows are few
        db.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_BEFORE_CHECKPOINT}")
    except sqlite3.Error:
        spool.close()
        raise
    kept = memory is None
    return Files(db, spool, kept, kept and spool.torn is None, identity(path))


def _move(old: Files, new: Files) -> None:
    """What memory held goes to the card: it is the newer word. Raises HomeError; nothing was then moved."""

    def write(db: sqlite3.Connection) -> None:
        for table in ("event", *ledger_tables.TABLES):
            columns = ", ".join(row[1] for row in old.db.execute(f"PRAGMA table_info({table})"))
            rows = old.db.execute(f"SELECT {columns} FROM {table}").fetchall()
            marks = ", ".join("?" * (columns.count(",") + 1))
            db.executemany(f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})", rows)

    new.spool.append(durable=True, also=write)


def kept_again(id_: str, room: str, wall: float) -> AuditEvent:
    """What is recorded when memory's word has come to the card; `wall` is seconds since 1970."""
    return AuditEvent(
        id=id_,
        at=utc(wall),
        what=KEPT_AGAIN,
        where=room,
        who=Who(issuer=room),
        outcome=Outcome.EXECUTED,
        severity=Severity.INFO,
    )
