"""The ids under which critical commands were asked for, in the spool's own file: none of them moves anything again.

A room remembers its answers for a day. Without this, whoever asks again later, or after a room lost an answer, would
act a second time in the first one's name.
"""

import sqlite3
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from gateway.acting.wish import Wish
from shared.proof.spool import KEPT_SECONDS, Spool
from shared.words.messages import AuditEvent, decode
from shared.words.names import Outcome
from shared.words.problem import HomeError

TABLE: Final = "used"
SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    user TEXT NOT NULL,
    id TEXT NOT NULL,
    wish BLOB NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (user, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS used_by_time ON {TABLE} (at);
"""
"""Kept as long as the spool keeps its events, for the spool to make it and to take it over."""
_INSERT: Final = f"INSERT OR IGNORE INTO {TABLE} (user, id, wish, at) VALUES (?, ?, ?, ?)"


class Written(NamedTuple):
    """What came of an intent: its event, or why there is none."""

    events: tuple[AuditEvent, ...]
    is_used: bool = False
    is_late: bool = False


class Used:
    """The ids in one spool. Safe to call from several threads, each id from one at a time."""

    def __init__(self, spool: Spool, *, now: Callable[[], float] = time.time) -> None:
        self._spool = spool
        self._now = now

    def claim(self, wish: Wish, intent: AuditEvent, *, late: bool, again: bool) -> Written:
        """Write the intent and its id in one commit, synced to disk; not where the id was used, or the wish is late.

        `again` says that the id was used by us alone, and nothing sent. Raises HomeError: no-proof, or id-reused.
        """
        if not again and self._knows(wish):
            return Written((), is_used=True)
        if late:
            return Written((), is_late=True)
        values = (wish.user.id, wish.id, msgspec.json.encode(wish.fingerprint), self._now())

        def write(db: sqlite3.Connection) -> None:
            db.execute(_INSERT, values)
            db.execute(f"DELETE FROM {TABLE} WHERE at < ?", (self._now() - KEPT_SECONDS,))

        return Written(self._spool.append(intent, durable=True, also=write))

    def _knows(self, wish: Wish) -> bool:
        found: list[bytes] = []

        def read(db: sqlite3.Connection) -> None:
            _make(db)
            row = db.execute(f"SELECT wish FROM {TABLE} WHERE user = ? AND id = ?", (wish.user.id, wish.id)).fetchone()
            found.extend(row or ())

        self._spool.append(durable=False, also=read)
        if found and found[0] != msgspec.json.encode(wish.fingerprint):
            raise HomeError("id-reused", id=wish.id, outcome="rejected", reason="id-reused")
        return bool(found)


def _make(db: sqlite3.Connection) -> None:
    """The table, where there is none yet: with the ids of the intents that the spool holds."""
    if db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (TABLE,)).fetchone() is not None:
        return
    for statement in SCHEMA.split(";"):
        db.execute(statement)
    for (body,) in db.execute("SELECT body FROM event WHERE NOT ordinary ORDER BY seq").fetchall():
        try:
            event = decode(AuditEvent, body)
        except HomeError:
            continue  # a row that a disk has spoilt
        user, id_ = event.who.user, event.command_id
        if event.outcome is Outcome.ASKED and user is not None and id_ is not None:
            room, _, device = event.where.partition("/")
            value = event.detail.get("value")
            fingerprint = (room, device, event.what.removeprefix("device:"), None if value is None else int(value))
            db.execute(_INSERT, (user.id, id_, msgspec.json.encode(fingerprint), event.at.timestamp()))
