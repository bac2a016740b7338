"""A producer's durable audit events: appended before it acts, kept until receipted and then for a week.

sqlite3 in WAL mode. One file per producer; the hub's command may append to a service's file while it runs.
A new file begins to number where no earlier one of its producer ended, so that `seq` tells two files apart.
"""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from shared.messages import AuditEvent, Receipt, Who, decode, encode, utc
from shared.names import Outcome, Severity
from shared.problem import HomeError

KEPT_SECONDS = 7 * 86400
"""Receipted events stay this long, for an alert service restored from an older copy."""
ORDINARY_MOST = 50_000
"""So many events of severity `info` are kept without a receipt, and as many with one: some 25 MB of a board's card.

Critical and security events are kept without a bound.
"""
DROPPED_AT_ONCE = 5_000
"""So many of the oldest ordinary events go when there are too many, and one event tells which."""
DROPPED = "audit:dropped"
NUMBERS = 2**20
"""A file's first number is a multiple of this, plus one: the second in which it was made."""
_LAST_SECOND = 2**32
_NUMBERS_END = 2**53
_LOOK_EVERY = 500
_PROBE_BYTES = 16384

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL,
    receipted_at REAL,
    ordinary INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS probe (one INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS open_events ON event (seq) WHERE receipted_at IS NULL;
CREATE INDEX IF NOT EXISTS receipted_events ON event (receipted_at) WHERE receipted_at IS NOT NULL;
"""
_LATER = """
CREATE INDEX IF NOT EXISTS open_ordinary ON event (seq) WHERE receipted_at IS NULL AND ordinary;
CREATE INDEX IF NOT EXISTS receipted_ordinary ON event (seq) WHERE receipted_at IS NOT NULL AND ordinary;
"""


class Spool:
    """One producer's file. Safe to call from several threads; a durable append syncs to disk and may take 10 ms.

    `source` is the producer's identity, in whose name it tells that ordinary events had to go; without it none go.
    """

    def __init__(self, path: Path, *, source: str | None = None, ordinary_most: int = ORDINARY_MOST) -> None:
        self._folder = path.parent
        self._source = source
        self._ordinary_most = ordinary_most
        self._unlooked = _LOOK_EVERY
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA cache_size = -200")  # KiB: an agent must stay small
            self._db.executescript(_SCHEMA)
            self._bring_up_to_date()
        except (sqlite3.Error, OSError) as error:
            raise HomeError("no-proof", f"the spool {path} cannot be opened: {error}") from error

    def append(
        self, *events: AuditEvent, durable: bool, also: Callable[[sqlite3.Connection], None] | None = None
    ) -> tuple[AuditEvent, ...]:
        """Write all events or none; returned with their `seq`. `durable` waits until the disk has them.

        `also` may write tables of the caller's own in the same file, in the same commit. Raises
        HomeError("no-proof") when it cannot be written; nothing was then.
        """
        with self._lock:
            try:
                self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._db.execute("BEGIN IMMEDIATE")
                numbered = tuple(self._insert(event) for event in events)
                self._make_room()
                if also is not None:
                    also(self._db)
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise HomeError("no-proof", f"the spool cannot be written: {error}") from error
        return numbered

    def pending(self, limit: int, *, after: int = 0) -> tuple[AuditEvent, ...]:
        """The oldest events without a receipt whose `seq` is above `after`."""
        return self._read("receipted_at IS NULL AND seq > ? ORDER BY seq LIMIT ?", after, limit)

    def count_pending(self) -> int:
        """How many events still wait for their receipt."""
        with self._lock, _readable():
            row = self._db.execute("SELECT count(*) FROM event WHERE receipted_at IS NULL").fetchone()
        return int(row[0])

    def numbered(self, seq: tuple[int, ...]) -> tuple[AuditEvent, ...]:
        """Those of the named events that are still kept, receipted or not."""
        seq = tuple(number for number in seq if 0 < number < _NUMBERS_END)
        marks = ",".join("?" * len(seq))
        return self._read(f"seq IN ({marks}) ORDER BY seq", *seq)

    def following(self, after: int, limit: int) -> tuple[AuditEvent, ...]:
        """The first events that are still kept above `after`, receipted or not."""
        after = max(0, min(after, _NUMBERS_END))
        return self._read("seq > ? ORDER BY seq LIMIT ?", after, limit)

    def probe(self) -> None:
        """Write, and sync to disk, as much as a few events need. Raises HomeError("no-proof") where that fails."""
        self.append(durable=True, also=_write_probe)

    def receipted(self, receipt: Receipt) -> None:
        """Remember that the alert service has these for good; drops what was receipted over a week ago.

        Raises HomeError("no-proof") when that cannot be written: the events are sent again, and receipted again.
        """
        now = time.time()
        with self._lock:
            try:
                self._db.execute("PRAGMA synchronous = NORMAL")
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany(
                    "UPDATE event SET receipted_at = ? WHERE id = ? AND receipted_at IS NULL",
                    [(now, line.id) for line in receipt.events],
                )
                self._db.execute("DELETE FROM event WHERE receipted_at < ?", (now - KEPT_SECONDS,))
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise HomeError("no-proof", f"the spool cannot be written: {error}") from error

    def space(self) -> int:
        """Bytes that are free on the spool's disk. Raises HomeError("no-proof") where that cannot be told."""
        try:
            disk = os.statvfs(self._folder)
        except OSError as error:
            raise HomeError("no-proof", f"the spool's disk cannot be read: {error}") from error
        if disk.f_flag & os.ST_RDONLY:
            raise HomeError("no-proof", "the spool's disk is mounted read-only")
        return disk.f_bavail * disk.f_frsize

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _insert(self, event: AuditEvent) -> AuditEvent:
        ordinary = event.severity is Severity.INFO
        self._unlooked += ordinary
        values = (event.id, encode(event), ordinary)
        cursor = self._db.execute("INSERT INTO event (id, body, ordinary) VALUES (?, ?, ?)", values)
        assert cursor.lastrowid is not None
        return msgspec.structs.replace(event, seq=cursor.lastrowid)

    def _make_room(self) -> None:
        """Once in a while: let the oldest ordinary events go where there are too many; tell of those unreceipted."""
        if self._unlooked < _LOOK_EVERY or self._source is None:
            return
        self._unlooked = 0
        self._db.execute(
            "DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE receipted_at IS NOT NULL AND ordinary"
            " ORDER BY seq DESC LIMIT -1 OFFSET ?)",
            (self._ordinary_most,),
        )
        waiting = "FROM event WHERE receipted_at IS NULL AND ordinary"
        over = self._db.execute(f"SELECT count(*) {waiting}").fetchone()[0] - self._ordinary_most
        if over <= 0:
            return
        oldest = f"SELECT seq {waiting} ORDER BY seq LIMIT ?"
        gone = [row[0] for row in self._db.execute(oldest, (max(over, min(DROPPED_AT_ONCE, self._ordinary_most)),))]
        self._db.execute(f"DELETE {waiting} AND seq <= ?", (gone[-1],))
        self._insert(_dropped(self._source, gone))

    def _bring_up_to_date(self) -> None:
        if "ordinary" not in {row[1] for row in self._db.execute("PRAGMA table_info(event)")}:
            self._db.execute("ALTER TABLE event ADD COLUMN ordinary INTEGER NOT NULL DEFAULT 0")
        self._db.executescript(_LATER)
        second = min(max(0, int(time.time())), _LAST_SECOND)
        self._db.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'event', ?"
            " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'event')",
            (second * NUMBERS,),
        )

    def _read(self, where: str, *values: int) -> tuple[AuditEvent, ...]:
        with self._lock, _readable():
            rows = self._db.execute(f"SELECT seq, body FROM event WHERE {where}", values).fetchall()
        return tuple(msgspec.structs.replace(decode(AuditEvent, body), seq=seq) for seq, body in rows)


def _dropped(source: str, gone: list[int]) -> AuditEvent:
    """What tells people, and the alert service that would miss them, which numbers are gone."""
    return AuditEvent(
        id=f"dropped:{gone[0]}:{gone[-1]}",
        at=utc(time.time()),
        what=DROPPED,
        where=source,
        who=Who(issuer=source),
        outcome=Outcome.EXECUTED,
        severity=Severity.SECURITY,
        detail={"first": str(gone[0]), "last": str(gone[-1]), "events": str(len(gone))},
    )


def _write_probe(db: sqlite3.Connection) -> None:
    db.execute("INSERT OR REPLACE INTO probe (one, body) VALUES (1, zeroblob(?))", (_PROBE_BYTES,))


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise HomeError("no-proof", f"the spool cannot be read: {error}") from error
