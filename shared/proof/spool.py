"""A producer's durable audit events: appended before it acts, kept until receipted and then for a week.

sqlite3 in WAL mode. One file per producer; the hub's command may append to a service's file while it runs.
A new file begins to number where no earlier one of its producer ended, so that `seq` tells two files apart. One that is
torn goes aside when it is opened, and an event in its successor tells (`torn`).
"""

import contextlib
import logging
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from shared.keeping import disks, sharing
from shared.keeping.salvage import UNREADABLE, take_over
from shared.keeping.torn import Sense, Torn, identity, is_torn, mend
from shared.proof import spool_rows
from shared.running.log import facts
from shared.words.messages import AuditEvent, Receipt
from shared.words.names import Severity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)
T = TypeVar("T")

KEPT_SECONDS = 7 * 86400
"""Receipted events stay this long, for an alert service restored from an older copy."""
ORDINARY_MOST = 50_000
"""So many events of severity `info` are kept without a receipt, and as many with one: some 25 MB of a board's card.

Critical and security events are kept without a bound.
"""
PASSING_MOST = 10_000
"""So many happenings, without a receipt and with one: they make room for themselves, and take none of the acts'."""
_LOOK_EVERY = 500
_PROBE_BYTES = 16384


class Spool:
    """One producer's file. Safe to call from several threads; a durable append syncs to disk and may take 10 ms.

    `source`: the producer's identity, in whose name it tells what became of its events; without it no ordinary ones go.
    `alone`: nothing else in this process has the file open. One that is torn, replaced or gone while in use is put
    aside, or begun anew, there and then; a disk that takes no file is waited for, and meanwhile every call raises
    HomeError("no-proof"), as the constructor does without it.
    `further`: SQL that makes tables of the caller's own in the same file; of those in `kept` a new file takes over what
    can be read; `sense` looks whether they make any, and `anew` changes what was taken over, in the same commit.
    `memory`: why no file can be written now; what can be read of it is then in memory, and so is all that is appended.
    """

    torn: Torn | None = None
    """What was put aside when the file was opened last."""

    def __init__(
        self,
        path: Path,
        *,
        source: str | None = None,
        ordinary_most: int = ORDINARY_MOST,
        alone: bool = False,
        further: str = "",
        kept: tuple[str, ...] = (),
        sense: Sense | None = None,
        anew: Callable[[sqlite3.Connection], None] | None = None,
        memory: str | None = None,
    ) -> None:
        self._path = path
        self._source = source
        self._ordinary_most = ordinary_most
        self._alone = alone
        self._schema = spool_rows.SCHEMA + further
        self._tables = ("event", *kept)
        self._sense, self._anew, self._memory = sense, anew, memory
        self._where = str(path) if memory is None else f"file:{uuid.uuid4().hex}?mode=memory&cache=shared"
        self._unlooked = _LOOK_EVERY
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._away_since: float | None = None
        try:
            self._opened()
        except (sqlite3.Error, OSError) as error:
            if not alone:
                raise HomeError("no-proof", f"the spool {path} cannot be opened: {disks.why(path, error)}") from error
            log.error("Spool cannot be opened yet", extra=facts(file=path, reason=error))

    def connect(self) -> sqlite3.Connection:
        """Another connection to the same file, or memory, for tables of the caller's own. Raises sqlite3.Error."""
        uri = self._memory is not None
        return sqlite3.connect(self._where, isolation_level=None, check_same_thread=False, timeout=5.0, uri=uri)

    def append(
        self, *events: AuditEvent, durable: bool, also: Callable[[sqlite3.Connection], None] | None = None
    ) -> tuple[AuditEvent, ...]:
        """Write all events or none; returned with their `seq`. `durable` waits until the disk has them.

        `also` may write tables of the caller's own in the same file, in the same commit. Raises
        HomeError("no-proof") when it cannot be written; nothing was then.
        """

        def write(db: sqlite3.Connection) -> tuple[AuditEvent, ...]:
            db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            db.execute("BEGIN IMMEDIATE")
            numbered = self._insert(db, *events)
            self._make_room(db)
            if also is not None:
                also(db)
            db.execute("COMMIT")
            return numbered

        return self._do(write, "written")

    def waiting(self, limit: int) -> tuple[int, ...]:
        """The `seq` of the oldest events without a receipt, for who needs few of the events themselves."""
        # In one row: at each row Python gives its lock away, as it does at each statement (spool_rows._AT_ONCE).
        wanted = "SELECT group_concat(seq) FROM (SELECT seq FROM event WHERE receipted_at IS NULL ORDER BY seq LIMIT ?)"
        (found,) = self._do(lambda db: db.execute(wanted, (limit,)).fetchone(), "read")
        return tuple(sorted(int(seq) for seq in found.split(","))) if found else ()

    def pending(self, limit: int, *, after: int = 0) -> tuple[AuditEvent, ...]:
        """The oldest events without a receipt whose `seq` is above `after`."""
        return self._read("receipted_at IS NULL AND seq > ? ORDER BY seq LIMIT ?", after, limit)

    def count_pending(self) -> int:
        """How many events still wait for their receipt."""
        count = "SELECT count(*) FROM event WHERE receipted_at IS NULL"
        return self._do(lambda db: int(db.execute(count).fetchone()[0]), "read")

    def numbered(self, seq: tuple[int, ...]) -> tuple[AuditEvent, ...]:
        """Those of the named events that are still kept, receipted or not."""
        seq = tuple(number for number in seq if 0 < number < spool_rows.NUMBERS_END)
        if not seq:
            return ()
        marks = ",".join("?" * len(seq))
        return self._read(f"seq IN ({marks}) ORDER BY seq", *seq)

    def following(self, after: int, limit: int) -> tuple[AuditEvent, ...]:
        """The first events that are still kept above `after`, receipted or not."""
        after = max(0, min(after, spool_rows.NUMBERS_END))
        return self._read("seq > ? ORDER BY seq LIMIT ?", after, limit)

    def probe(self) -> None:
        """Write, and sync to disk, as much as a few events need. Raises HomeError("no-proof") where that fails."""
        self.append(durable=True, also=_write_probe)

    def receipted(self, receipt: Receipt) -> None:
        """Remember that the alert service has these for good; drops what was receipted over a week ago.

        Raises HomeError("no-proof") when that cannot be written: the events are sent again, and receipted again.
        """
        now = time.time()

        def write(db: sqlite3.Connection) -> None:
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("BEGIN IMMEDIATE")
            spool_rows.receipt(db, [line.id for line in receipt.events], now)
            db.execute("DELETE FROM event WHERE receipted_at < ?", (now - KEPT_SECONDS,))
            db.execute("COMMIT")

        self._do(write, "written")

    def space(self) -> int:
        """Bytes that are free on the spool's disk. Raises HomeError("no-proof") where that cannot be told."""
        try:
            disk = os.statvfs(self._path.parent)
        except OSError as error:
            raise HomeError("no-proof", f"the spool's disk cannot be read: {error}") from error
        if disk.f_flag & os.ST_RDONLY:
            raise HomeError("no-proof", "the spool's disk is mounted read-only")
        return disk.f_bavail * disk.f_frsize

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._let_go()

    def _do(self, work: Callable[[sqlite3.Connection], T], what: str) -> T:
        """Work on the file, one thread at a time; where it turns out to be torn, once more on its successor.

        Raises HomeError("no-proof"): nothing of the work is in the file then.
        """
        with self._lock:
            try:
                try:
                    return work(self._opened())
                except UNREADABLE as error:
                    self._roll_back()
                    if not (self._alone and is_torn(error)):
                        raise
                    self._let_go()
                    return work(self._opened())
            except (*UNREADABLE, OSError) as error:
                self._roll_back()
                raise HomeError("no-proof", f"the spool cannot be {what}: {disks.why(self._path, error)}") from error

    def _opened(self) -> sqlite3.Connection:
        """The file: opened, and mended, where it is not. Raises sqlite3.Error or OSError."""
        if self._db is not None and (not self._alone or identity(self._path) == self._file):
            return self._db
        self._let_go()
        try:
            return self._open()
        except (sqlite3.Error, OSError):
            self._let_go()
            self._away_since = self._away_since or time.time()
            raise

    def _open(self) -> sqlite3.Connection:
        if self._memory is None:
            self._mend()
            if sharing.is_shared(self._path.parent):
                sharing.make_writable(self._path)
        self._db = db = self.connect()
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA cache_size = -200")  # KiB: an agent must stay small
        spool_rows.bring_up_to_date(db)
        if self._memory is not None:
            self._remember(db, self._memory)
        if self._away_since is not None and self._source is not None:
            self._insert(db, spool_rows.paused(self._source, self._away_since, time.time()))
        self._away_since = None
        self._file = identity(self._path)
        return db

    def _mend(self) -> None:
        self.torn = mend(
            self._path,
            schema=self._schema,
            tables=self._tables,
            finish=self._finish,
            sense=self._sense,
            now=time.time(),
        )
        if self.torn is not None:
            log.error("Spool is put aside", extra=facts(aside=self.torn.aside, reason=self.torn.reason))

    def _remember(self, db: sqlite3.Connection, reason: str) -> None:
        """What can be read of a file that cannot be written."""
        db.executescript(self._schema)
        db.execute("BEGIN IMMEDIATE")
        rows = take_over(self._path, self._path.with_name(f"{self._path.name}-wal"), db, self._tables)
        written = self._path.stat().st_mtime if os.path.exists(self._path) else 0.0  # noqa: PTH110 - never raises
        self._finish(db, Torn(self._path, reason, rows, written))
        db.execute("COMMIT")

    def _finish(self, db: sqlite3.Connection, torn: Torn) -> None:
        spool_rows.begin_anew(
            db, torn, self._source, what=spool_rows.TORN if self._memory is None else spool_rows.UNWRITABLE
        )
        if self._anew is not None:
            self._anew(db)

    def _let_go(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def _roll_back(self) -> None:
        if self._db is not None and self._db.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")

    def _insert(self, db: sqlite3.Connection, *events: AuditEvent) -> tuple[AuditEvent, ...]:
        self._unlooked += sum(event.severity is Severity.INFO for event in events)
        return spool_rows.insert(db, *events)

    def _make_room(self, db: sqlite3.Connection) -> None:
        """Once in a while: let the oldest ordinary events go where there are too many; tell of those unreceipted."""
        if self._unlooked < _LOOK_EVERY or self._source is None:
            return
        self._unlooked = 0
        spool_rows.make_room(db, self._source, self._ordinary_most, min(PASSING_MOST, self._ordinary_most))

    def _read(self, where: str, *values: int) -> tuple[AuditEvent, ...]:
        def read(db: sqlite3.Connection) -> list[tuple[int, str, bytes]]:
            return db.execute(f"SELECT seq, id, body FROM event WHERE {where}", values).fetchall()

        rows = self._do(read, "read")
        found = [(row[0], spool_rows.event_in(*row)) for row in rows]
        if spoilt := [seq for seq, event in found if event is None]:
            self._leave_out(spoilt)
        return tuple(event for _, event in found if event is not None)

    def _leave_out(self, spoilt: list[int]) -> None:
        """What is no event any more waits for no receipt: nobody could take it. Its number is missed, and told of."""
        log.error("Audit events are spoilt", extra=facts(file=self._path, seq=spoilt))
        ended = [(time.time(), seq) for seq in spoilt]
        with contextlib.suppress(HomeError):  # with the next reading, then
            self._do(lambda db: db.executemany("UPDATE event SET receipted_at = ? WHERE seq = ?", ended), "written")


def _write_probe(db: sqlite3.Connection) -> None:
    db.execute("INSERT OR REPLACE INTO probe (one, body) VALUES (1, zeroblob(?))", (_PROBE_BYTES,))
