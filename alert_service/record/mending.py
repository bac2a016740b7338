"""The record's file where it is torn: what can be read goes on as one chain, and the chain itself says what is lost.

For SQLite; a server looks after its own files. The torn file goes aside and is never deleted. `walk` passes over what
the record tells of as lost; letters that name such rows still say that they are gone.
"""

import asyncio
import logging
import re
import secrets
import sqlite3
import time
import uuid
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import arrivals, chain
from alert_service.chain.chain import GENESIS
from alert_service.chain.spans import Span
from alert_service.record import records
from alert_service.store import open_store
from alert_service.tables import events, metadata, settings
from shared.keeping import database
from shared.keeping.database import Store
from shared.keeping.torn import Torn, TornError, is_cut, mend
from shared.running.log import facts
from shared.words.messages import AuditEvent, Who, utc
from shared.words.names import Outcome, Severity

log = logging.getLogger(__name__)

TORN = "audit:record-torn"
LOST = "lost"
"""In its detail: which rows, as spans."""
UNSENT = "unsent"
"""In its detail: how many letters are lost that were still on their way to somebody."""
_UNTOLD = "torn"
"""The setting that names the row of such an event until its letter is in the outbox."""
_SPANS_MOST = 8
"""As many as an event's detail holds; whoever lost more has lost all between the last ones."""
_SPAN = re.compile(r"([0-9]{1,16})-([0-9]{1,16})")
_DETAIL = 200


async def put_aside(url: str) -> Torn | None:
    """Put the record of `url` aside where it is torn, and a file with all that can be read in its place.

    None where it is sound, or on a server. Raises sqlite3.Error or OSError: the disk takes no file now.
    """
    path = database.file_of(url)
    if path is None:
        return None
    shape = await database.blank(open_store)
    tables = [table.name for table in metadata.sorted_tables]
    torn = await asyncio.to_thread(lambda: mend(path, schema=shape, tables=tables, finish=_finish, now=time.time()))
    if torn is not None:
        log.error("The record was torn", extra=facts(aside=torn.aside, reason=torn.reason, rows=torn.rows["events"]))
    return torn


async def open_record(url: str) -> Store:
    """As `open_store`, but a file that is cut to nothing is a torn one. Raises ConfigError, TornError."""
    path = database.file_of(url)
    if path is not None and is_cut(path):
        raise TornError(f"database: {path} is cut to nothing")
    return await open_store(url)


async def tell(store: Store, now: float, follow: records.Follow) -> None:
    """Open the letter about a loss that no letter tells of yet."""
    async with store.write() as connection:
        found = (await connection.execute(select(settings.c.value).where(settings.c.name == _UNTOLD))).scalar()
        if found is None:
            return
        await follow(connection, list((await records.rows(connection, [int(found)])).values()), now)
        await connection.execute(delete(settings).where(settings.c.name == _UNTOLD))


async def lost(connection: AsyncConnection) -> list[Span]:
    """Which rows the record tells of as lost."""
    wanted = select(events.c.detail).where(events.c.source == arrivals.OURSELVES, events.c.what == TORN)
    wanted = wanted.where(events.c.place == arrivals.OURSELVES, events.c.outcome == Outcome.EXECUTED.value)
    found = (await connection.execute(wanted.order_by(events.c.row))).scalars()
    spans = (_SPAN.findall(str(detail)) for detail in found)
    return [(int(first), int(last)) for one in spans for first, last in one if int(first) <= int(last)]


class _Chain(NamedTuple):
    """What could be read of the chain: its last row, and the spans that are missing up to `known`."""

    last: int
    head: str
    clock: int
    missing: list[Span]
    known: int


def _finish(db: sqlite3.Connection, torn: Torn) -> None:
    """The row that tells, in the new file before it is in place."""
    read = _read(db)
    waiting = _drop_orphans(db)
    row = max(read.last, read.known) + 1
    now = time.time()
    highest = db.execute("SELECT max(seq) FROM events WHERE source = ?", (arrivals.OURSELVES,)).fetchone()[0]
    event = AuditEvent(
        id=f"record-torn:{uuid.uuid4().hex}",
        seq=int(highest or 0) + 1,
        at=utc(now),
        what=TORN,
        where=arrivals.OURSELVES,
        who=Who(issuer=arrivals.OURSELVES),
        outcome=Outcome.EXECUTED,
        severity=Severity.CRITICAL,
        detail={
            LOST: ", ".join(f"{first}-{last}" for first, last in read.missing),
            "aside": str(torn.aside)[-_DETAIL:],
            "reason": torn.reason[:_DETAIL],
            "rows": str(torn.rows["events"]),
            **({UNSENT: str(waiting)} if waiting else {}),
        },
    )
    salt = secrets.token_bytes(chain.SALT_BYTES)
    made = chain.append(arrivals.OURSELVES, event, received_at=utc(now), salt=salt, row=row, previous=read.head)
    (values,) = records.columns([chain.flat(made)], clock=read.clock)
    names = ", ".join(values)
    db.execute(f"INSERT INTO events ({names}) VALUES ({', '.join(f':{name}' for name in values)})", values)
    db.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (_UNTOLD, str(row)))


def _drop_orphans(db: sqlite3.Connection) -> int:
    """Leave nothing that belongs to a lost letter: the next letter under its number would take it for its own.

    Returns how many letters are lost that somebody was still to get.
    """
    orphaned = "letter NOT IN (SELECT id FROM letters)"
    unsent = f"SELECT count(DISTINCT letter) FROM deliveries WHERE state = 'pending' AND {orphaned}"
    count = int(db.execute(unsent).fetchone()[0])
    for table in ("deliveries", "dailies", "tidings"):
        db.execute(f"DELETE FROM {table} WHERE {orphaned}")
    # What a lost digest had gathered is told again, rather than never.
    again = "state = 'gathered' AND id NOT IN (SELECT letter FROM deliveries)"
    lost_digest = "digest NOT IN (SELECT id FROM letters)"
    db.execute(f"UPDATE letters SET state = 'ready', digest = NULL WHERE {lost_digest} AND {again}")
    db.execute(f"UPDATE letters SET digest = NULL WHERE {lost_digest}")
    return count


def _read(db: sqlite3.Connection) -> _Chain:
    """Rows that letters and days name were there, whether they can be read or not."""
    gone = db.execute("SELECT last_row, after FROM days ORDER BY last_row DESC LIMIT 1").fetchone() or (0, GENESIS)
    last, head = gone
    missing: list[Span] = []
    clock = 0
    for row, own, at in db.execute("SELECT row, hash, clock FROM events WHERE row > ? ORDER BY row", (last,)):
        if row > last + 1:
            missing.append((last + 1, row - 1))
        last, head, clock = row, str(own), max(clock, int(at))
    named = "SELECT max(intent) FROM letters UNION SELECT max(outcome) FROM letters UNION SELECT max(told_in) FROM days"
    known = max((one for (one,) in db.execute(named) if isinstance(one, int)), default=0)
    if known > last:
        missing.append((last + 1, known))
    if len(missing) > _SPANS_MOST:
        missing[_SPANS_MOST - 1 :] = [(missing[_SPANS_MOST - 1][0], missing[-1][1])]
    return _Chain(last, chain.joinable(head), clock, missing, known)
