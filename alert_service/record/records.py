"""The chain in SQL: appends a batch of events in one transaction, together with what follows from them.

Whoever calls it, one transaction appends at a time.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row as SqlRow
from sqlalchemy import Select, and_, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import arrivals, chain, erasures, forms
from alert_service.chain.arrivals import Arrival
from alert_service.chain.forms import Flat
from alert_service.chain.sources import ID_REUSED
from alert_service.tables import erased, events, is_number
from shared.words.messages import AuditEvent, ReceiptLine, utc

Key = tuple[str, str]
Follow = Callable[[AsyncConnection, Sequence[chain.Row], float], Awaitable[bool]]
"""What new rows call for, in the transaction that appends them: letters that tell of them. Whether there is one."""
USER_PLACE = "user/"
"""How the place of an event about a user's account begins; the user's id follows."""
_CHAIN_LOCK = 4_803_317


class Recorded(NamedTuple):
    """What came of a batch: a receipt for each key; `followed`: some letter tells of it, or will."""

    receipts: dict[Key, ReceiptLine]
    followed: bool


async def record(connection: AsyncConnection, batch: Sequence[Arrival], now: float, follow: Follow) -> Recorded:
    """Append what is new to the chain, and `follow` it; returns a receipt for every event, known or new.

    The first with a key stands; another content under it becomes an incident of our own.
    """
    await _alone(connection)
    known = await _known(connection, batch)
    gone = await _erased(connection, batch)
    row, head, clock, seq = await _stands(connection)
    fresh: list[chain.Row] = []
    flats: list[Flat] = []
    bare: list[int] = []
    waiting = list(batch)
    followed = False
    while waiting or bare:
        if not waiting:
            waiting.append(erasures.arrival(bare, now))
            bare = []
        arrival = waiting.pop(0)
        key = (arrival.source, arrival.event.id)
        first = known.get(key)
        if first is not None:
            if arrival.source != arrivals.OURSELVES and not chain.same_content(first, arrival.event):
                conflict = arrivals.incident(ID_REUSED, arrival.source, f"event {arrival.event.id}", now)
                await _add(connection, conflict, waiting, known)
            continue
        event = arrival.event
        if arrival.source == arrivals.OURSELVES:
            seq += 1
            event = msgspec.structs.replace(event, seq=seq)
        row += 1
        made, flat = _made(arrival.source, event, now, row, head, gone)
        if forms.is_bare(flat):
            bare.append(row)
        head = made.hash
        known[key] = made
        fresh.append(made)
        flats.append(flat)
        for remark in arrival.remarks:
            await _add(connection, remark, waiting, known)
    if fresh:
        await connection.execute(insert(events), columns(flats, clock=clock))
        followed = await follow(connection, fresh, now)
    return Recorded(_receipts(batch, known), followed=followed)


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
    return named | ({event.where.removeprefix(USER_PLACE)} if event.where.startswith(USER_PLACE) else set())


def as_row(found: SqlRow[*tuple[Any, ...]]) -> chain.Row:
    """A row of the table as a row of the chain; one that a hand has spoiled as far as it can be read."""
    return chain.readable(Flat._make(found))


def columns(flats: Iterable[Flat], *, clock: int) -> list[dict[str, Any]]:
    """The rows as the table has them; `clock` is that of the row before them."""
    made = []
    for flat in flats:
        clock = max(clock, flat.received_at)
        made.append(flat._replace(clock=clock)._asdict())
    return made


async def _known(connection: AsyncConnection, batch: Sequence[Arrival]) -> dict[Key, chain.Row]:
    ids: dict[str, list[str]] = {}
    for arrival in batch:
        ids.setdefault(arrival.source, []).append(arrival.event.id)
    if not ids:
        return {}
    one_of = [and_(events.c.source == source, events.c.id.in_(named)) for source, named in ids.items()]
    found = await connection.execute(select(events).where(or_(*one_of)))
    return {(one.source, one.id): as_row(one) for one in found.all()}


def _receipts(batch: Sequence[Arrival], known: dict[Key, chain.Row]) -> dict[Key, ReceiptLine]:
    receipts = {key: ReceiptLine(id=key[1], row=made.row, hash=made.hash) for key, made in known.items()}
    for arrival in batch:
        if arrival.instead_of is not None and arrival.instead_of not in receipts:
            made = known[(arrival.source, arrival.event.id)]
            receipts[arrival.instead_of] = ReceiptLine(id=arrival.instead_of[1], row=made.row, hash=made.hash)
    return receipts


def _made(source: str, event: AuditEvent, now: float, row: int, head: str, gone: set[str]) -> tuple[chain.Row, Flat]:
    """The next row. What a producer tells late of somebody who was erased does not bring the person back."""
    salt = secrets.token_bytes(chain.SALT_BYTES)
    made, flat = chain.sealed(source, event, received_at=utc(now), salt=salt, row=row, previous=head)
    for user_id in gone & subjects(event) if gone else ():
        made = chain.erase(made, user_id)
        flat = chain.flat(made)
    return made, flat


async def _alone(connection: AsyncConnection) -> None:
    """Whoever appends waits for the one before: SQLite's write lock sees to it, PostgreSQL has to be told."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(_CHAIN_LOCK)))


async def _erased(connection: AsyncConnection, batch: Sequence[Arrival]) -> set[str]:
    """Of whom the batch tells although they were erased: a producer that was away may still name them."""
    told = set[str]().union(*(subjects(arrival.event) for arrival in batch))
    if not told:
        return set()
    return set((await connection.execute(select(erased.c.user_id).where(erased.c.user_id.in_(told)))).scalars())


async def _add(
    connection: AsyncConnection, incident: Arrival, waiting: list[Arrival], known: dict[Key, chain.Row]
) -> None:
    """An incident that another arrival brings with it is recorded after it, once."""
    if (incident.source, incident.event.id) not in known:
        known |= await _known(connection, [incident])
    waiting.append(incident)


def _standing() -> Select[Any]:
    before, own = events.alias(), events.alias()
    clock = select(before.c.clock).where(is_number(before.c.clock)).order_by(before.c.row.desc()).limit(1)
    seq = select(func.max(own.c.seq)).where(own.c.source == arrivals.OURSELVES, is_number(own.c.seq))
    named = clock.scalar_subquery().label("clock"), seq.scalar_subquery().label("seq")
    return select(events.c.row, events.c.hash, *named).order_by(events.c.row.desc()).limit(1)


_STANDING = _standing()
"""Made once: what it takes to put such a statement together is more than what it takes to answer it."""


class _Standing(NamedTuple):
    """What the next row follows: the newest row and its hash, the highest clock, and the last number of our own."""

    row: int
    head: str
    clock: int
    seq: int


async def _stands(connection: AsyncConnection) -> _Standing:
    last = (await connection.execute(_STANDING)).first()
    if last is None:
        return _Standing(0, chain.GENESIS, 0, 0)
    return _Standing(last.row, chain.joinable(last.hash), last.clock or 0, last.seq or 0)
