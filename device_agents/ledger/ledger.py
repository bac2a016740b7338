"""The room's memory, one SQLite file: which commands were begun and how they ended, where devices stood, the spool.

What is kept of devices is written when it changes and never on a timer, so that a card wears little.

A command's intent is committed before its edge and its answer after it, so that whatever interrupts the agent, a
repeat moves nothing and is answered alike (promise 3). Audit events lie in the same file and go in with the same
commit: a finished command and its proof are written both or not at all.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from device_agents.devices.output import Memory
from device_agents.ledger import opening
from device_agents.ledger.boot import this_boot
from device_agents.ledger.lifetime import Lifetime
from device_agents.ledger.opening import Files, Guard
from device_agents.ledger.tables import LIVED
from device_agents.ledger.translated import Translated
from shared.proof.spool import Spool
from shared.words.messages import AuditEvent, State, decode, encode
from shared.words.problem import HomeError

PATIENCE_SECONDS = 10.0
KEPT_SECONDS = 86400.0
"""A repeat is known for at least this long, counted while the agent lives."""
_BEGIN = "INSERT INTO command (issuer, id, begun, device, wish, owed, answer, lived) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_FIND = "SELECT wish, answer FROM command WHERE issuer = ? AND id = ?"
_FINISH = "UPDATE command SET answer = ? WHERE issuer = ? AND id = ?"
_STAND = "INSERT OR REPLACE INTO standing (device, state, memory) VALUES (?, ?, ?)"


class Entry(NamedTuple):
    """What is known of a command: the wish it stood for, and its answer (the acknowledgement's bytes) if it has one."""

    wish: str
    answer: bytes | None


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A command that is about to be obeyed, or was refused.

    `party` chose the id (see parties): the column `issuer`. `wish` tells it from others with the same id. `owed` is the
    audit event to be written should the command never finish; None where nobody needs one.
    """

    party: str
    id: str
    begun: float
    device: str
    wish: str
    owed: AuditEvent | None = None


class Ledger:
    """One room's file, for one process at a time. Only the loop calls it.

    `remembers_since` (monotonic seconds): of what was issued before, a card that failed may have lost that it was done.
    `is_doubted`: something that was known is missing, so that nobody knows what outputs have done.
    """

    def __init__(self, path: Path, *, boot: str | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`boot` tells one boot of the board from another. Whatever has become of the file, the room has a ledger.

        Raises ConfigError where another agent uses it.
        """
        self.boot = boot or this_boot()
        self._monotonic = monotonic
        self._path = path
        self._guard = Guard(path)
        self.remembers_since = float("-inf") if self._guard.ended_well else monotonic()
        self.is_doubted = False
        self._lifetime = Lifetime(monotonic)
        self._ails: str | None = None
        self._patient_until = float("-inf")
        self._translated = Translated(self.noticed)
        self._take(opening.open_files(path))
        self._guard.begin()

    @property
    def is_kept(self) -> bool:
        """Whether a card keeps what is written; else it is memory's, and what must not be lost cannot be taken."""
        return self._files.kept

    @property
    def mends_at(self) -> float | None:
        """From when on `mend` has something to do: the file turned out to be spoilt, or there is none. Else None."""
        return self._patient_until if self._ails is not None or not self.is_kept else None

    def noticed(self, error: BaseException | None) -> None:
        """Somebody met this error in the ledger's file, or in its spool's."""
        if (ails := opening.ailment(error)) is None:
            return
        if self._ails is None and opening.may_pass(error):
            self._patient_until = self._monotonic() + PATIENCE_SECONDS
        self._ails = ails

    def look(self, *, closely: bool) -> None:
        """Whether the file is still the one that was opened; `closely` reads all of it, past what memory has of it."""
        if self.is_kept and self._ails is None:
            self._ails = opening.changed(self._path, self._files, closely=closely)

    def mend(self) -> bool:
        """Open the file anew where it is spoilt, or at last; whether spool and file are others now."""
        if self.mends_at is None:
            return False
        files, self._ails = opening.opened_anew(self._path, self._files, self._ails), None
        if files is not None:
            self._take(files)
        return files is not None

    def find(self, party: str, id_: str) -> Entry | None:
        """What is known of this command. Raises HomeError("ledger-failed")."""
        with self._translated:
            row = self._db.execute(_FIND, (party, id_)).fetchone()
        return None if row is None else Entry(*row)

    def begin(self, intent: Intent, *asked: AuditEvent, synced: bool) -> bool:
        """Commit the intent, with `asked` events; `synced` waits for the disk.

        False, with nothing written, when the party has used this id before. Raises HomeError("ledger-failed").
        """
        if synced and not self.is_kept:
            raise HomeError("ledger-failed", "The room has no ledger just now: its card cannot be written.")
        values = self._values(intent, None)
        try:
            with self._translated:
                if not asked and not synced:
                    self._db.execute(_BEGIN, values)
                elif self.find(intent.party, intent.id) is not None:
                    return False
                else:
                    self.spool.append(*asked, durable=synced, also=lambda db: _run(db, _BEGIN, values))
        except HomeError as error:
            if _is_known(error):
                return False
            raise
        return True

    def finish(
        self, intent: Intent, answer: bytes, state: State, memory: Memory, *events: AuditEvent, synced: bool
    ) -> None:
        """Commit how it ended and where the device stands, with `events`. Raises HomeError("ledger-failed")."""

        def write(db: sqlite3.Connection) -> None:
            if db.execute(_FINISH, (answer, intent.party, intent.id)).rowcount == 0:
                # A safe action whose intent could not be written, or an answer that comes late.
                db.execute(_BEGIN, self._values(intent, answer))
            db.execute(_STAND, (intent.device, encode(state), encode(memory)))

        with self._translated:
            if events or synced:
                self.spool.append(*events, durable=synced, also=write)
            else:
                self._commit(write)

    def refuse(self, intent: Intent, answer: bytes, *events: AuditEvent) -> None:
        """Remember a refusal, so that its repeat is refused alike. Raises HomeError("ledger-failed")."""
        values = self._values(intent, answer)
        with self._translated:
            self.spool.append(*events, durable=False, also=lambda db: _run(db, _BEGIN, values))

    def stand(self, device: str, state: State, memory: Memory | None = None) -> None:
        """Remember where a device stands that moved without a command. Raises HomeError("ledger-failed")."""
        with self._translated:
            self._db.execute(_STAND, (device, encode(state), None if memory is None else encode(memory)))

    def stood(self, device: str) -> tuple[State | None, Memory | None]:
        """Where a device stood when it was last heard of, and what is remembered where the board was not restarted."""
        with self._translated:
            row = self._db.execute("SELECT state, memory FROM standing WHERE device = ?", (device,)).fetchone()
        if row is None:
            return None, None
        memory = None if row[1] is None else decode(Memory, row[1])
        return decode(State, row[0]), memory if memory is not None and memory.boot == self.boot else None

    def known(self) -> frozenset[str]:
        """Every device that ever stood anywhere."""
        with self._translated:
            return frozenset(row[0] for row in self._db.execute("SELECT device FROM standing"))

    def forget(self, device: str) -> None:
        """A device is gone. Raises HomeError("ledger-failed")."""
        with self._translated:
            self._db.execute("DELETE FROM standing WHERE device = ?", (device,))

    def note(self, name: str, body: bytes) -> None:
        """Keep the hub's last word on something, for a start without the hub. Raises HomeError("ledger-failed")."""
        with self._translated:
            if self.noted(name) != body:
                self._db.execute("INSERT OR REPLACE INTO note (name, body) VALUES (?, ?)", (name, body))

    def noted(self, name: str) -> bytes | None:
        """The hub's last word on something. Raises HomeError("ledger-failed")."""
        with self._translated:
            row = self._db.execute("SELECT body FROM note WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def unfinished(self) -> tuple[Intent, ...]:
        """Commands that were begun and never answered: the agent was interrupted in the middle of them."""
        with self._translated:
            rows = self._db.execute(
                "SELECT issuer, id, begun, device, wish, owed FROM command WHERE answer IS NULL ORDER BY begun"
            ).fetchall()
        return tuple(
            Intent(
                party=party,
                id=id_,
                begun=begun,
                device=device,
                wish=wish,
                owed=None if owed is None else decode(AuditEvent, owed),
            )
            for party, id_, begun, device, wish, owed in rows
        )

    def interrupted(self, intent: Intent, answer: bytes, *events: AuditEvent) -> None:
        """Answer an unfinished command and write its event, in one commit: exactly one, however often we restart."""
        values = (answer, intent.party, intent.id)
        with self._translated:
            self.spool.append(*events, durable=True, also=lambda db: _run(db, _FINISH, values))

    def fold(self) -> None:
        """Fold the write-ahead log in, which syncs to disk: for quiet moments. Raises HomeError("ledger-failed")."""
        with self._translated:
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def prune(self) -> None:
        """Forget commands of more than a day ago. Raises HomeError("ledger-failed").

        Counted is the time for which the room's agents have lived, whatever restarts lay between: a wall clock that
        jumps ahead must not free an id, and neither must a board that boots.
        """
        lived = self._lifetime.seconds()

        def write(db: sqlite3.Connection) -> None:
            self.note(LIVED, str(lived).encode())
            db.execute("DELETE FROM command WHERE answer IS NOT NULL AND lived < ?", (lived - KEPT_SECONDS,))

        with self._translated:
            self._commit(write)

    def close(self) -> None:
        """Close the file."""
        self._guard.end()
        self._files.close()
        self._guard.close()

    @property
    def spool(self) -> Spool:
        """Where the room's events wait; another one after `mend`."""
        return self._files.spool

    @property
    def _db(self) -> sqlite3.Connection:
        return self._files.db

    def _take(self, files: Files) -> None:
        if not files.whole:
            self.remembers_since = self._monotonic()
            self.is_doubted = True
        self._files = files
        with contextlib.suppress(HomeError), self._translated:  # what fails here is mended like any other failure
            self._lifetime.take_up(self._db)

    def _values(self, intent: Intent, answer: bytes | None) -> tuple[object, ...]:
        owed = None if intent.owed is None else encode(intent.owed)
        identity = (intent.party, intent.id, intent.begun, intent.device, intent.wish)
        return (*identity, owed, answer, self._lifetime.seconds())

    def _commit(self, write: Callable[[sqlite3.Connection], None]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            write(self._db)
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _run(db: sqlite3.Connection, statement: str, values: tuple[object, ...]) -> None:
    db.execute(statement, values)


def _is_known(error: HomeError) -> bool:
    """Whether the id has been used before."""
    return isinstance(error.__cause__, sqlite3.IntegrityError)
