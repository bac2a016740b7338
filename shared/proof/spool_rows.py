"""A spool's tables and numbers, and what it tells of itself: for the spool, and for who reads its events."""

import sqlite3
import time
import uuid
from collections.abc import Sequence

import msgspec

from shared.keeping.torn import Torn
from shared.words.happenings import PASSING
from shared.words.messages import AuditEvent, Who, decode, encode, utc
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

DROPPED = "audit:dropped"
"""Ordinary events went for want of space: which numbers."""
TORN = "audit:torn"
"""A file could not be used: where it lies now, and how many events were taken over from it."""
UNWRITABLE = "audit:unwritable"
"""No file can be written: until one can, memory keeps what is told."""
PAUSED = "audit:paused"
"""From when to when there was no file to write to."""
DROPPED_AT_ONCE = 5_000
"""So many of the oldest ordinary events go when there are too many, and one event tells which."""
NUMBERS = 2**20
"""A file's first number is a multiple of this, plus one: the second in which it was made."""
NUMBERS_END = 2**53
_LAST_SECOND = 2**32
_ORDINARY, _PASSING = 1, 2
"""In the column `ordinary`: an act of severity `info`, and what only happened; 0 is what is never let go."""
_DETAIL = 200
"""As many characters as an event's detail holds."""
_AT_ONCE = (32, 8, 1)
"""So many events one statement writes, of what there is. At each statement Python gives its lock away, and the loop
beside it takes that: the changes to and fro cost more than a row does."""
_RECEIPTED_AT_ONCE = 64
_INSERT = {
    count: f"INSERT INTO event (id, body, ordinary) VALUES {', '.join(['(?, ?, ?)'] * count)}" for count in _AT_ONCE
}
_RECEIPTED = (
    f"UPDATE event SET receipted_at = ? WHERE receipted_at IS NULL AND id IN ({', '.join('?' * _RECEIPTED_AT_ONCE)})"
)

_TABLES = """
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
# SQLite answers from an index alone only where that has every column that is named, even in the index's own condition.
_LATER = """
CREATE INDEX IF NOT EXISTS open_kinds ON event (ordinary, seq, receipted_at)
    WHERE receipted_at IS NULL AND ordinary;
CREATE INDEX IF NOT EXISTS receipted_kinds ON event (ordinary, seq, receipted_at)
    WHERE receipted_at IS NOT NULL AND ordinary;
DROP INDEX IF EXISTS open_ordinary;
DROP INDEX IF EXISTS receipted_ordinary;
"""
SCHEMA = _TABLES + _LATER
"""A new file's."""


def first_number(second: float) -> int:
    """Below what a file that is made in this second numbers."""
    return min(max(0, int(second)), _LAST_SECOND) * NUMBERS


def insert(db: sqlite3.Connection, *events: AuditEvent) -> tuple[AuditEvent, ...]:
    """Write these; returned with their numbers, which follow one another where nobody else writes meanwhile."""
    numbered: list[AuditEvent] = []
    while some := events[len(numbered) : len(numbered) + _AT_ONCE[0]]:
        count = next(count for count in _AT_ONCE if count <= len(some))
        values = [value for event in some[:count] for value in (event.id, encode(event), _kind(event))]
        last = db.execute(_INSERT[count], values).lastrowid
        assert last is not None
        numbered += [msgspec.structs.replace(one, seq=last - count + n) for n, one in enumerate(some[:count], 1)]
    return tuple(numbered)


def _kind(event: AuditEvent) -> int:
    """For the column `ordinary`."""
    if event.severity is not Severity.INFO:
        return 0
    return _PASSING if event.what in PASSING else _ORDINARY


def receipt(db: sqlite3.Connection, ids: Sequence[str], now: float) -> None:
    """Those of the events that wait for it have theirs since `now`."""
    for first in range(0, len(ids), _RECEIPTED_AT_ONCE):
        some = ids[first : first + _RECEIPTED_AT_ONCE]
        # Filled up with what no id is, so that there is one statement for any number of them.
        db.execute(_RECEIPTED, (now, *some, *[None] * (_RECEIPTED_AT_ONCE - len(some))))


def bring_up_to_date(db: sqlite3.Connection) -> None:
    """Make what a file lacks, one that an earlier version made as well as a new one."""
    db.executescript(_TABLES)
    if "ordinary" not in {row[1] for row in db.execute("PRAGMA table_info(event)")}:
        db.execute("ALTER TABLE event ADD COLUMN ordinary INTEGER NOT NULL DEFAULT 0")
    db.executescript(_LATER)
    db.execute(
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'event', ?"
        " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'event')",
        (first_number(time.time()),),
    )


def begin_anew(db: sqlite3.Connection, torn: Torn, source: str | None, *, what: str = TORN) -> None:
    """Make what was read out of a torn file this one's beginning, and tell of it.

    No number is used twice, whatever the clock says meanwhile: the torn file had none above the second in which it
    was last written.
    """
    rows = db.execute("SELECT seq, id, body FROM event").fetchall()
    bad = [(seq,) for seq, id_, body in rows if not 0 < seq < NUMBERS_END or event_in(seq, id_, body) is None]
    db.executemany("DELETE FROM event WHERE seq = ?", bad)
    highest = max((seq for seq, _, _ in rows if (seq,) not in bad), default=0)
    start = max(first_number(time.time()), first_number(torn.written + 1), -(-highest // NUMBERS) * NUMBERS)
    db.execute("DELETE FROM sqlite_sequence WHERE name = 'event'")
    db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('event', ?)", (start,))
    if source is not None:
        insert(db, torn_aside(source, what, torn, len(rows) - len(bad)))


def make_room(db: sqlite3.Connection, source: str, most: int, passing_most: int) -> None:
    """Let the oldest go where there are more than `most` ordinary acts, or `passing_most` happenings.

    Of those that had no receipt it is told.
    """
    for kind, bound in ((_PASSING, passing_most), (_ORDINARY, most)):
        _make_room_of(db, source, kind, bound)


def _make_room_of(db: sqlite3.Connection, source: str, kind: int, most: int) -> None:
    # `AND ordinary` once more, literally: a partial index is used only where its condition is there.
    db.execute(
        "DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE receipted_at IS NOT NULL AND ordinary"
        " AND ordinary = ? ORDER BY seq DESC LIMIT -1 OFFSET ?)",
        (kind, most),
    )
    waiting = "FROM event WHERE receipted_at IS NULL AND ordinary AND ordinary = ?"
    over = db.execute(f"SELECT count(*) {waiting}", (kind,)).fetchone()[0] - most
    if over <= 0:
        return
    oldest = f"SELECT seq {waiting} ORDER BY seq LIMIT ?"
    gone = [row[0] for row in db.execute(oldest, (kind, max(over, min(DROPPED_AT_ONCE, most))))]
    db.execute(f"DELETE {waiting} AND seq <= ?", (kind, gone[-1]))
    insert(db, dropped(source, gone, passing=kind == _PASSING))


def event_in(seq: int, id_: object, body: object) -> AuditEvent | None:
    """The event of a row, with its number; None where the row no longer holds what it was made for."""
    try:
        found = decode(AuditEvent, body) if isinstance(body, bytes) else None
    except HomeError:
        return None
    return msgspec.structs.replace(found, seq=seq) if found is not None and found.id == id_ else None


def _event(source: str, what: str, severity: Severity, name: str, detail: dict[str, str]) -> AuditEvent:
    """An event about the spool itself."""
    return AuditEvent(
        id=name,
        at=utc(time.time()),
        what=what,
        where=source,
        who=Who(issuer=source),
        outcome=Outcome.EXECUTED,
        severity=severity,
        detail=detail,
    )


def dropped(source: str, gone: list[int], *, passing: bool = False) -> AuditEvent:
    """What tells people, and the alert service that would miss them, which numbers are gone; `passing`: no acts."""
    told = {"first": str(gone[0]), "last": str(gone[-1]), "events": str(len(gone))}
    severity = Severity.INFO if passing else Severity.SECURITY
    return _event(source, DROPPED, severity, f"dropped:{gone[0]}:{gone[-1]}", told)


def torn_aside(source: str, what: str, torn: Torn, events: int) -> AuditEvent:
    """What tells people that a file lies aside, or (UNWRITABLE) that it lies where it is and takes nothing."""
    told = {"aside": str(torn.aside)[-_DETAIL:], "reason": torn.reason[:_DETAIL], "events": str(events)}
    return _event(source, what, Severity.CRITICAL, uuid.uuid4().hex, told)


def paused(source: str, since: float, until: float) -> AuditEvent:
    """What tells people that nothing could be written for a while; seconds since 1970."""
    told = {"since": utc(since).isoformat(timespec="seconds"), "until": utc(until).isoformat(timespec="seconds")}
    return _event(source, PAUSED, Severity.CRITICAL, uuid.uuid4().hex, told)
