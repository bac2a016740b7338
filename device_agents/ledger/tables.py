"""The ledger's own tables: made, brought up to date, and doubted after they were taken over from a torn file."""

import math
import sqlite3

import msgspec

from device_agents.ledger import parties
from shared.words.messages import Acknowledgement, AuditEvent, State, decode
from shared.words.problem import HomeError

SCHEMA = """
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
TABLES = ("command", "standing", "note")
_LATER_COLUMNS = (("command", "lived", "REAL"), ("standing", "memory", "BLOB"))
"""What files made by an earlier version lack."""
LIVED = "lived"
"""The note of how many seconds the room's agents have lived."""


def bring_up_to_date(db: sqlite3.Connection) -> None:
    """Make what a new file, or one of an earlier version, lacks."""
    db.executescript(SCHEMA)
    for table, column, kind in _LATER_COLUMNS:
        if column not in {row[1] for row in db.execute(f"PRAGMA table_info({table})")}:
            db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    parties.rekey(db)


def complaint(db: sqlite3.Connection) -> str | None:
    """What makes no sense in a file that SQLite takes for whole; None where all does that a start asks for.

    A file has no sums: a bit that fell in the middle of a row shows only here. Answers are looked at when they are
    asked for; there may be thousands.
    """
    there = {row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not there.issuperset(TABLES):
        return None  # of an earlier version, or not finished: there is nothing to doubt in it
    try:
        return _complaint(db)
    except sqlite3.OperationalError as error:
        match getattr(error, "sqlite_errorcode", None):
            case None:  # Python's own word, not SQLite's
                return "a text in it is none"
            case sqlite3.SQLITE_ERROR:  # a column that an earlier version did not have
                return None
        raise


def _complaint(db: sqlite3.Connection) -> str | None:
    for device, state in db.execute("SELECT device, state FROM standing"):
        if not _reads(State, state):
            return f"where {device} stood makes no sense"
    for (owed,) in db.execute("SELECT owed FROM command WHERE answer IS NULL AND owed IS NOT NULL"):
        if not _reads(AuditEvent, owed):
            return "what an unfinished command owes makes no sense"
    for number in db.execute("SELECT begun, coalesce(lived, 0.0), issuer, id, device, wish FROM command"):
        if not all(isinstance(value, float) and math.isfinite(value) for value in number[:2]):
            return "when a command was begun makes no sense"
    for name, body in db.execute("SELECT name, body FROM note"):
        if not isinstance(body, bytes) or (name == LIVED and lived(body) is None):
            return f"the note {name} makes no sense"
    return None


def lived(body: bytes) -> float | None:
    """What the note says of how long agents have lived, in seconds; None where it makes no sense."""
    try:
        seconds = float(body)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def doubt(db: sqlite3.Connection) -> None:
    """Keep of rows out of a torn file what makes sense, and no running time: nobody knows how old the rows are.

    An id whose answer is gone stays known: its command counts as interrupted.
    """
    for device, state in db.execute("SELECT device, state FROM standing").fetchall():
        if not (isinstance(device, str) and _reads(State, state)):
            db.execute("DELETE FROM standing WHERE device = ?", (device,))
    db.execute("UPDATE standing SET memory = NULL")
    db.execute("UPDATE command SET lived = NULL")  # kept for a whole day from now
    for issuer, id_, begun, *texts, owed, answer in db.execute(
        "SELECT issuer, id, begun, device, wish, owed, answer FROM command"
    ).fetchall():
        key = (issuer, id_)
        numbered = isinstance(begun, float) and math.isfinite(begun)
        if not (numbered and all(isinstance(text, str) for text in (*key, *texts))):
            db.execute("DELETE FROM command WHERE issuer = ? AND id = ?", key)
            continue
        if owed is not None and not _reads(AuditEvent, owed):
            db.execute("UPDATE command SET owed = NULL WHERE issuer = ? AND id = ?", key)
        if answer is not None and not _reads(Acknowledgement, answer):
            db.execute("UPDATE command SET answer = NULL WHERE issuer = ? AND id = ?", key)
    for name, body in db.execute("SELECT name, body FROM note").fetchall():
        if not (isinstance(name, str) and isinstance(body, bytes)) or (name == LIVED and lived(body) is None):
            db.execute("DELETE FROM note WHERE name = ?", (name,))


def _reads(kind: type[msgspec.Struct], body: object) -> bool:
    if not isinstance(body, bytes):
        return False
    try:
        decode(kind, body)
    except HomeError:
        return False
    return True
