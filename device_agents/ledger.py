"""The room's memory, one SQLite file: which commands were begun and how they ended, where devices stood, the spool.

A command's intent is committed before its edge and its answer after it, so that whatever interrupts the agent, a
repeat moves nothing and is answered alike (promise 3). Audit events lie in the same file and go in with the same
commit: a finished command and its proof are written both or not at all.
"""

import contextlib
import fcntl
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from shared.config import ConfigError
from shared.messages import AuditEvent, State, decode, encode
from shared.problem import HomeError
from shared.spool import Spool

log = logging.getLogger(__name__)

KEPT_SECONDS = 86400.0
"""A repeat is known for this long."""
_PAGES_BEFORE_CHECKPOINT = 4000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS command (
    issuer TEXT NOT NULL,
    id TEXT NOT NULL,
    begun REAL NOT NULL,
    device TEXT NOT NULL,
    wish TEXT NOT NULL,
    owed BLOB,
    answer BLOB,
    PRIMARY KEY (issuer, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS standing (
    device TEXT PRIMARY KEY,
    state BLOB NOT NULL
) WITHOUT ROWID;
"""
_BEGIN = "INSERT INTO command (issuer, id, begun, device, wish, owed, answer) VALUES (?, ?, ?, ?, ?, ?, ?)"
_FINISH = "UPDATE command SET answer = ? WHERE issuer = ? AND id = ?"
_STAND = "INSERT OR REPLACE INTO standing (device, state) VALUES (?, ?)"


class Entry(NamedTuple):
    """What is known of a command: the wish it stood for, and its answer (the acknowledgement's bytes) if it has one."""

    wish: str
    answer: bytes | None


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A command that is about to be obeyed, or was refused.

    `wish` tells it from others with the same id. `owed` is the audit event to be written should the command never
    finish; None where nobody needs one.
    """

    issuer: str
    id: str
    begun: float
    device: str
    wish: str
    owed: AuditEvent | None = None


class Ledger:
    """One room's file, for one process at a time. Only the loop calls it."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigError where the file cannot be used or another agent uses it."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"data: another agent is using {path}; stop it first") from None
        except OSError as error:
            raise ConfigError(f"data: {path.parent} cannot be used ({error}); check its owner and mode") from error
        try:
            self.spool = Spool(path)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
            self._db.executescript(_SCHEMA)
            # Ordinary commands pay no disk sync; the loop checkpoints when it is idle, this is the backstop.
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA cache_size = -200")  # KiB: the board has little memory, and rows are few
            self._db.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_BEFORE_CHECKPOINT}")
        except (sqlite3.Error, HomeError) as error:
            raise ConfigError(
                f"data: {path} cannot be used ({error}); free space on the disk, or move a damaged file away"
            ) from error

    def find(self, issuer: str, id_: str) -> Entry | None:
        """What is known of this command. Raises HomeError("ledger-failed")."""
        with _translated():
            row = self._db.execute(
                "SELECT wish, answer FROM command WHERE issuer = ? AND id = ?", (issuer, id_)
            ).fetchone()
        return None if row is None else Entry(*row)

    def begin(self, intent: Intent, *asked: AuditEvent, synced: bool) -> bool:
        """Commit the intent, with `asked` events; `synced` waits for the disk.

        False, with nothing written, when the issuer has used this id before. Raises HomeError("ledger-failed").
        """
        values = _values(intent, None)
        try:
            if not asked and not synced:
                self._db.execute(_BEGIN, values)
            elif self.find(intent.issuer, intent.id) is not None:
                return False
            else:
                self.spool.append(*asked, durable=synced, also=lambda db: _run(db, _BEGIN, values))
        except sqlite3.IntegrityError:
            return False
        except sqlite3.Error as error:
            raise HomeError("ledger-failed", str(error)) from error
        except HomeError as error:
            raise HomeError("ledger-failed", error.detail) from error
        return True

    def finish(self, intent: Intent, answer: bytes, state: State, *events: AuditEvent, synced: bool) -> None:
        """Commit how it ended and where the device stands, with `events`. Raises HomeError("ledger-failed")."""

        def write(db: sqlite3.Connection) -> None:
            if db.execute(_FINISH, (answer, intent.issuer, intent.id)).rowcount == 0:
                # A safe action whose intent could not be written, or an answer that comes late.
                db.execute(_BEGIN, _values(intent, answer))
            db.execute(_STAND, (intent.device, encode(state)))

        with _translated():
            if events or synced:
                self.spool.append(*events, durable=synced, also=write)
            else:
                with self._commit():
                    write(self._db)

    def refuse(self, intent: Intent, answer: bytes, *events: AuditEvent) -> None:
        """Remember a refusal, so that its repeat is refused alike. Raises HomeError("ledger-failed")."""
        values = _values(intent, answer)
        with _translated():
            self.spool.append(*events, durable=False, also=lambda db: _run(db, _BEGIN, values))

    def stand(self, device: str, state: State) -> None:
        """Remember where a device stands that moved without a command. Raises HomeError("ledger-failed")."""
        with _translated():
            self._db.execute(_STAND, (device, encode(state)))

    def stood(self, device: str) -> State | None:
        """Where a device stood when it was last heard of."""
        with _translated():
            row = self._db.execute("SELECT state FROM standing WHERE device = ?", (device,)).fetchone()
        return None if row is None else decode(State, row[0])

    def unfinished(self) -> tuple[Intent, ...]:
        """Commands that were begun and never answered: the agent was interrupted in the middle of them."""
        with _translated():
            rows = self._db.execute(
                "SELECT issuer, id, begun, device, wish, owed FROM command WHERE answer IS NULL ORDER BY begun"
            ).fetchall()
        return tuple(
            Intent(
                issuer=issuer,
                id=id_,
                begun=begun,
                device=device,
                wish=wish,
                owed=None if owed is None else decode(AuditEvent, owed),
            )
            for issuer, id_, begun, device, wish, owed in rows
        )

    def interrupted(self, intent: Intent, answer: bytes, *events: AuditEvent) -> None:
        """Answer an unfinished command and write its event, in one commit: exactly one, however often we restart."""
        values = (answer, intent.issuer, intent.id)
        with _translated():
            self.spool.append(*events, durable=True, also=lambda db: _run(db, _FINISH, values))

    def fold(self) -> None:
        """Fold the write-ahead log in, which syncs to disk: for quiet moments. Raises HomeError("ledger-failed")."""
        with _translated():
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def prune(self, wall: float) -> None:
        """Forget commands of more than a day ago. Raises HomeError("ledger-failed")."""
        with _translated():
            self._db.execute("DELETE FROM command WHERE begun < ? AND answer IS NOT NULL", (wall - KEPT_SECONDS,))

    def close(self) -> None:
        """Close the file."""
        self.spool.close()
        self._db.close()
        os.close(self._lock)

    @contextlib.contextmanager
    def _commit(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _values(intent: Intent, answer: bytes | None) -> tuple[object, ...]:
    owed = None if intent.owed is None else encode(intent.owed)
    return (intent.issuer, intent.id, intent.begun, intent.device, intent.wish, owed, answer)


def _run(db: sqlite3.Connection, statement: str, values: tuple[object, ...]) -> None:
    db.execute(statement, values)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise HomeError("ledger-failed", str(error)) from error
    except HomeError as error:
        raise HomeError("ledger-failed", error.detail) from error
