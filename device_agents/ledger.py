"""The room's memory, one SQLite file: which commands were begun and how they ended, where devices stood, the spool.

What is kept of devices is written when it changes and never on a timer, so that a card wears little.

A command's intent is committed before its edge and its answer after it, so that whatever interrupts the agent, a
repeat moves nothing and is answered alike (promise 3). Audit events lie in the same file and go in with the same
commit: a finished command and its proof are written both or not at all.
"""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from device_agents.boot import this_boot
from device_agents.devices.output import Memory
from shared.config import EX_TEMPFAIL, ConfigError
from shared.messages import AuditEvent, State, decode, encode
from shared.problem import HomeError
from shared.spool import Spool

KEPT_SECONDS = 86400.0
"""A repeat is known for at least this long, counted while the agent lives."""
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
    lived REAL,
    PRIMARY KEY (issuer, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS standing (
    device TEXT PRIMARY KEY,
    state BLOB NOT NULL,
    memory BLOB
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS note (
    name TEXT PRIMARY KEY,
    body BLOB NOT NULL
) WITHOUT ROWID;
"""
_LATER_COLUMNS = (("command", "lived", "REAL"), ("standing", "memory", "BLOB"))
"""What files made by an earlier version lack."""
_LIVED = "lived"
_BEGIN = "INSERT INTO command (issuer, id, begun, device, wish, owed, answer, lived) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_FINISH = "UPDATE command SET answer = ? WHERE issuer = ? AND id = ?"
_STAND = "INSERT OR REPLACE INTO standing (device, state, memory) VALUES (?, ?, ?)"


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

    def __init__(self, path: Path, *, boot: str | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`boot` tells one boot of the board from another. Raises ConfigError where the file cannot be used or another
        agent uses it.
        """
        self.boot = boot or this_boot()
        self._monotonic = monotonic
        self._opened = monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            used = ConfigError(f"data: another agent is using {path}; stop it first")
            used.exit_code = EX_TEMPFAIL  # one that was killed may be on its way out: the unit tries again
            raise used from None
        except OSError as error:
            raise ConfigError(f"data: {path.parent} cannot be used ({error}); check its owner and mode") from error
        try:
            self.spool = Spool(path, source=path.stem)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
            self._db.executescript(_SCHEMA)
            self._bring_up_to_date()
            self._lived_before = self._lived_so_far()
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
        values = self._values(intent, None)
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

    def finish(
        self, intent: Intent, answer: bytes, state: State, memory: Memory, *events: AuditEvent, synced: bool
    ) -> None:
        """Commit how it ended and where the device stands, with `events`. Raises HomeError("ledger-failed")."""

        def write(db: sqlite3.Connection) -> None:
            if db.execute(_FINISH, (answer, intent.issuer, intent.id)).rowcount == 0:
                # A safe action whose intent could not be written, or an answer that comes late.
                db.execute(_BEGIN, self._values(intent, answer))
            db.execute(_STAND, (intent.device, encode(state), encode(memory)))

        with _translated():
            if events or synced:
                self.spool.append(*events, durable=synced, also=write)
            else:
                with self._commit():
                    write(self._db)

    def refuse(self, intent: Intent, answer: bytes, *events: AuditEvent) -> None:
        """Remember a refusal, so that its repeat is refused alike. Raises HomeError("ledger-failed")."""
        values = self._values(intent, answer)
        with _translated():
            self.spool.append(*events, durable=False, also=lambda db: _run(db, _BEGIN, values))

    def stand(self, device: str, state: State, memory: Memory | None = None) -> None:
        """Remember where a device stands that moved without a command. Raises HomeError("ledger-failed")."""
        with _translated():
            self._db.execute(_STAND, (device, encode(state), None if memory is None else encode(memory)))

    def stood(self, device: str) -> tuple[State | None, Memory | None]:
        """Where a device stood when it was last heard of, and what is remembered where the board was not restarted."""
        with _translated():
            row = self._db.execute("SELECT state, memory FROM standing WHERE device = ?", (device,)).fetchone()
        if row is None:
            return None, None
        memory = None if row[1] is None else decode(Memory, row[1])
        return decode(State, row[0]), memory if memory is not None and memory.boot == self.boot else None

    def known(self) -> frozenset[str]:
        """Every device that ever stood anywhere."""
        with _translated():
            return frozenset(row[0] for row in self._db.execute("SELECT device FROM standing"))

    def forget(self, device: str) -> None:
        """A device is gone. Raises HomeError("ledger-failed")."""
        with _translated():
            self._db.execute("DELETE FROM standing WHERE device = ?", (device,))

    def note(self, name: str, body: bytes) -> None:
        """Keep the hub's last word on something, for a start without the hub. Raises HomeError("ledger-failed")."""
        with _translated():
            if self.noted(name) != body:
                self._db.execute("INSERT OR REPLACE INTO note (name, body) VALUES (?, ?)", (name, body))

    def noted(self, name: str) -> bytes | None:
        """The hub's last word on something. Raises HomeError("ledger-failed")."""
        with _translated():
            row = self._db.execute("SELECT body FROM note WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

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

    def prune(self) -> None:
        """Forget commands of more than a day ago. Raises HomeError("ledger-failed").

        Counted is the time for which the room's agents have lived, whatever restarts lay between: a wall clock that
        jumps ahead must not free an id, and neither must a board that boots.
        """
        lived = self._lived()
        with _translated(), self._commit():
            self.note(_LIVED, str(lived).encode())
            self._db.execute("DELETE FROM command WHERE answer IS NOT NULL AND lived < ?", (lived - KEPT_SECONDS,))

    def close(self) -> None:
        """Close the file."""
        self.spool.close()
        self._db.close()
        os.close(self._lock)

    def _bring_up_to_date(self) -> None:
        for table, column, kind in _LATER_COLUMNS:
            if column not in {row[1] for row in self._db.execute(f"PRAGMA table_info({table})")}:
                self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")

    def _values(self, intent: Intent, answer: bytes | None) -> tuple[object, ...]:
        owed = None if intent.owed is None else encode(intent.owed)
        identity = (intent.issuer, intent.id, intent.begun, intent.device, intent.wish)
        return (*identity, owed, answer, self._lived())

    def _lived(self) -> float:
        """For how many seconds the agents of this room have lived, at the least."""
        return self._lived_before + self._monotonic() - self._opened

    def _lived_so_far(self) -> float:
        """What earlier processes made of it, by their last note or their last command; rows without it begin now."""
        noted = self.noted(_LIVED)
        newest = self._db.execute("SELECT max(lived) FROM command").fetchone()[0]
        lived = max(float(noted or 0.0), newest or 0.0)
        self._db.execute("UPDATE command SET lived = ? WHERE lived IS NULL", (lived,))
        return lived

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
