"""A producer's durable audit events: appended before it acts, kept until receipted and then for a week.

sqlite3 in WAL mode. One file per producer; the hub's command may append to a service's file while it runs.
"""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from shared.messages import AuditEvent, Receipt, decode, encode
from shared.problem import HomeError

KEPT_SECONDS = 7 * 86400
"""Receipted events stay this long, for an alert service restored from an older copy."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL,
    receipted_at REAL
);
CREATE INDEX IF NOT EXISTS open_events ON event (seq) WHERE receipted_at IS NULL;
CREATE INDEX IF NOT EXISTS receipted_events ON event (receipted_at) WHERE receipted_at IS NOT NULL;
"""


class Spool:
    """One producer's file. Safe to call from several threads; a durable append syncs to disk and may take 10 ms."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA cache_size = -200")  # KiB: an agent must stay small
            self._db.executescript(_SCHEMA)
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
        marks = ",".join("?" * len(seq))
        return self._read(f"seq IN ({marks}) ORDER BY seq", *seq)

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

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _insert(self, event: AuditEvent) -> AuditEvent:
        cursor = self._db.execute("INSERT INTO event (id, body) VALUES (?, ?)", (event.id, encode(event)))
        assert cursor.lastrowid is not None
        return msgspec.structs.replace(event, seq=cursor.lastrowid)

    def _read(self, where: str, *values: int) -> tuple[AuditEvent, ...]:
        with self._lock, _readable():
            rows = self._db.execute(f"SELECT seq, body FROM event WHERE {where}", values).fetchall()
        return tuple(msgspec.structs.replace(decode(AuditEvent, body), seq=seq) for seq, body in rows)


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise HomeError("no-proof", f"the spool cannot be read: {error}") from error
