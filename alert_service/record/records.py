"""The chain in SQL: appends a batch of events in one transaction, together with what follows from them.

Whoever calls it, one transaction appends at a time.
"""

import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Dialect, func, insert, select
from sqlalchemy import Row as SqlRow
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import arrivals, chain, erasures, forms, spoiled
from alert_service.chain.arrivals import Arrival
from alert_service.chain.forms import Flat
from alert_service.chain.sources import ID_REUSED
from alert_service.record import standing
from alert_service.tables import events
from shared.words.messages import AuditEvent, ReceiptLine, utc

Key = standing.Key
Follow = Callable[[AsyncConnection, Sequence[chain.Row], float], Awaitable[bool]]
"""What new rows call for, in the transaction that appends them: letters that tell of them. Whether there is one."""
USER_PLACE = "user/"
"""How the place of an event about a user's account begins; the user's id follows."""
PARTNER = "partner"
"""In the detail of what took two persons, or befell another than who did it: the id of whose name is its `user`."""
_CHAIN_LOCK = 4_803_317


class Recorded(NamedTuple):
    """What came of a batch: a receipt for each key; `followed`: some letter tells of it, or will."""

    receipts: dict[Key, ReceiptLine]
    followed: bool


async def record(connection: AsyncConnection, batch: Sequence[Arrival], now: float, follow: Follow) -> Recorded:
    """Append what is new to the chain, and `follow` it; returns a receipt for every event, known or new.

    The first with a key stands; another content under it becomes an incident of our own.
    """
    await alone(connection)
    found = await standing.stands(connection, _keys(batch), set[str]().union(*(subjects(one.event) for one in batch)))
    known = {key: as_row(one) for key, one in found.known.items()}
    row, head, clock, seq = found.row, found.head, found.clock, found.seq
    at = utc(now)
    fresh: list[chain.Row] = []
    flats: list[Flat] = []
    bare: list[int] = []
    waiting = deque(batch)
    followed = False
    while waiting or bare:
        if not waiting:
            waiting.append(erasures.arrival(bare, now))
            bare = []
        arrival = waiting.popleft()
        event = arrival.event
        key = (arrival.source, event.id)
        first = known.get(key)
        if first is not None:
            if arrival.source != arrivals.OURSELVES and not chain.same_content(first, event):
                conflict = arrivals.incident(ID_REUSED, arrival.source, f"event {event.id}", now)
                await _add(connection, conflict, waiting, known)
            continue
        if arrival.source == arrivals.OURSELVES:
            seq += 1
            event = msgspec.structs.replace(event, seq=seq)
        row += 1
        made, flat = _made(arrival.source, event, at, row, head, clock, found.gone)
        if forms.is_bare(flat):
            bare.append(row)
        head, clock = made.hash, flat.clock
        known[key] = made
        fresh.append(made)
        flats.append(flat)
        for remark in arrival.remarks:
            await _add(connection, remark, waiting, known)
    if fresh:
        await connection.exec_driver_sql(_insertion(connection.dialect), flats)
        followed = await follow(connection, fresh, now)
    return Recorded(_receipts(batch, known), followed=followed)


async def alone(connection: AsyncConnection) -> None:
    """Whoever appends, or says who is not to be named, waits for the one before until the transaction ends.

    SQLite's write lock sees to it, PostgreSQL has to be told.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(_CHAIN_LOCK)))


async def in_silence(_connection: AsyncConnection, _fresh: Sequence[chain.Row], _now: float) -> bool:
    """What follows where nobody is told: of what an owner does to the record, which stands in it."""
    return False


async def rows(connection: AsyncConnection, numbers: Iterable[int]) -> dict[int, chain.Row]:
    """The named rows of the chain."""
    found = await connection.execute(select(events).where(events.c.row.in_(list(numbers))))
    return {one.row: as_row(one) for one in found.all()}


def subjects(event: AuditEvent) -> set[str]:
    """The ids of the users whom an event names or tells of."""
    named = {event.who.user.id} if event.who.user is not None else set()
    if (partner := event.detail.get(PARTNER)) is not None:
        named.add(partner)
    return named | ({event.where.removeprefix(USER_PLACE)} if event.where.startswith(USER_PLACE) else set())


def as_row(found: SqlRow[*tuple[Any, ...]]) -> chain.Row:
    """A row of the table as a row of the chain; one that a hand has spoiled as far as it can be read."""
    return spoiled.readable(Flat._make(found))


def columns(flats: Iterable[Flat], *, clock: int) -> list[dict[str, Any]]:
    """The rows as the table has them; `clock` is that of the row before them."""
    made = []
    for flat in flats:
        clock = max(clock, flat.received_at)
        made.append(flat._replace(clock=clock)._asdict())
    return made


def _keys(batch: Iterable[Arrival]) -> list[Key]:
    return [(arrival.source, arrival.event.id) for arrival in batch]


@lru_cache(8)
def _insertion(dialect: Dialect) -> str:
    """The statement that takes rows as they are, column after column."""
    return str(insert(events).compile(dialect=dialect))


def _receipts(batch: Sequence[Arrival], known: dict[Key, chain.Row]) -> dict[Key, ReceiptLine]:
    receipts = {key: ReceiptLine(id=key[1], row=made.row, hash=made.hash) for key, made in known.items()}
    for arrival in batch:
        if arrival.instead_of is not None and arrival.instead_of not in receipts:
            made = known[(arrival.source, arrival.event.id)]
            receipts[arrival.instead_of] = ReceiptLine(id=arrival.instead_of[1], row=made.row, hash=made.hash)
    return receipts


def _made(
    source: str, event: AuditEvent, at: datetime, row: int, head: str, clock: int, gone: Collection[str]
) -> tuple[chain.Row, Flat]:
    """The next row. What a producer tells late of somebody who was erased does not bring the person back."""
    salt = secrets.token_bytes(chain.SALT_BYTES)
    made, flat = chain.sealed(source, event, received_at=at, salt=salt, row=row, previous=head, clock=clock)
    for user_id in subjects(event).intersection(gone) if gone else ():
        made = chain.erase(made, user_id)
        flat = chain.flat(made, flat.clock)
    return made, flat


async def _add(
    connection: AsyncConnection, incident: Arrival, waiting: deque[Arrival], known: dict[Key, chain.Row]
) -> None:
    """An incident that another arrival brings with it is recorded after it, once."""
    key = (incident.source, incident.event.id)
    if key not in known:
        found = await standing.stands(connection, [key], ())
        known |= {key: as_row(one) for key, one in found.known.items()}
    waiting.append(incident)
