"""The outbox in SQL: which letters may leave, to whom, what is due, and what the mail server said.

Called by the outbox and by the one who knows the recipients; nothing is ever deleted here.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, not_, or_, select, update
from sqlalchemy import exists as sql_exists
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service import digest, rules
from alert_service.tables import deliveries, events, letters, recipients
from shared.names import Outcome, Severity

RELEASE_LIMIT = 500
"""How many letters are sorted out in one transaction."""
DIGEST_FULL = 1000
"""A digest with so many lines that are never cut is closed for further ones: no mail server takes an endless letter."""


class Due(NamedTuple):
    """One delivery whose time has come."""

    delivery: int
    letter: int
    recipient: str
    attempts: int


class Told(NamedTuple):
    """What a letter is made of: rows of the chain, and for a digest the letters that it gathers."""

    letter: int
    kind: str
    key: str
    round: int
    source: str
    intent: int | None
    outcome: int | None
    ended: str | None
    created_at: float


class Counts(NamedTuple):
    """How the outbox fares."""

    waiting: int
    refused: int


async def release(connection: AsyncConnection, now: float, allowed: int) -> int:
    """Let ready letters leave, alone or in a digest; returns how many were sorted out. None without recipients."""
    people = await known_recipients(connection)
    if not people:
        return 0
    named = letters.outerjoin(events, events.c.row == func.coalesce(letters.c.intent, letters.c.outcome))
    of_whom = events.c.user_id, events.c.place, events.c.issuer
    ready = select(letters.c.id, letters.c.source, letters.c.kind, *of_whom, _proven().label("proven"))
    ready = ready.select_from(named).where(letters.c.state == "ready").order_by(letters.c.id).limit(RELEASE_LIMIT)
    found = (await connection.execute(ready)).all()
    if not found:
        return 0
    counting = (
        select(letters.c.source, *of_whom, func.count().label("left"))
        .select_from(named)
        .where(letters.c.state == "released", letters.c.kind != "digest", not_(_proven()))
        .where(letters.c.released_at > now - digest.WINDOW_SECONDS)
        .group_by(letters.c.source, *of_whom)
    )
    counts = Counter[tuple[str, str]]()
    for x in (await connection.execute(counting)).all():
        counts[x.source, digest.party(x.user_id, x.place, x.issuer)] += x.left
    plan = digest.plan(
        (
            digest.Ready(x.id, x.source, digest.party(x.user_id, x.place, x.issuer), x.proven)
            for x in found
            if x.kind != "digest"
        ),
        counts,
        allowed,
    )
    leaving = plan.alone + [x.id for x in found if x.kind == "digest"]
    for source, gathered in plan.gathered.items():
        into = await _digest(connection, source, gathered[0], now)
        joining = update(letters).where(letters.c.id.in_(gathered))
        await connection.execute(joining.values(state="gathered", digest=into))
    if leaving:
        going = update(letters).where(letters.c.id.in_(leaving))
        await connection.execute(going.values(state="released", released_at=now))
        await deliver(connection, leaving, people, now)
    return len(found)


async def deliver(connection: AsyncConnection, leaving: Sequence[int], people: Sequence[str], now: float) -> None:
    """These letters go to these people."""
    made = [_delivery(letter, person, now) for letter in leaving for person in people]
    await connection.execute(insert(deliveries), made)


async def due(connection: AsyncConnection, now: float, limit: int) -> list[Due]:
    """The deliveries whose time has come: each source's oldest first, in turn, so that none waits for a flood's."""
    turn = func.row_number().over(partition_by=letters.c.source, order_by=deliveries.c.id).label("turn")
    wanted = (
        select(deliveries.c.id, deliveries.c.letter, deliveries.c.recipient, deliveries.c.attempts, turn)
        .join(letters, letters.c.id == deliveries.c.letter)
        .where(deliveries.c.state == "pending", deliveries.c.next_at <= now)
    )
    found = await connection.execute(wanted.order_by(turn, deliveries.c.id).limit(limit))
    return [Due(x.id, x.letter, x.recipient, x.attempts) for x in found.all()]


async def next_time(connection: AsyncConnection) -> float | None:
    """When the next letter or delivery is due, if any is."""
    pending = select(func.min(deliveries.c.next_at)).where(deliveries.c.state == "pending")
    waiting = select(func.min(letters.c.due_at)).where(letters.c.state == "waiting")
    times = [(await connection.execute(one)).scalar() for one in (pending, waiting)]
    return min((time for time in times if time is not None), default=None)


async def sent(connection: AsyncConnection, delivery: int, now: float) -> None:
    """The mail server took it."""
    done = update(deliveries).where(deliveries.c.id == delivery)
    await connection.execute(done.values(state="sent", sent_at=now, refusal=None, permanent=False))


async def refused(connection: AsyncConnection, delivery: int, *, refusal: str, permanent: bool, next_at: float) -> None:
    """The mail server refused this one; it is tried again at `next_at`."""
    failed = update(deliveries).where(deliveries.c.id == delivery)
    await connection.execute(
        failed.values(refusal=refusal[:200], permanent=permanent, next_at=next_at, attempts=deliveries.c.attempts + 1)
    )


async def told(connection: AsyncConnection, letter: int) -> Told:
    """One letter of the outbox."""
    return Told(*(await connection.execute(_told().where(letters.c.id == letter))).one())


async def gathered(connection: AsyncConnection, into: int, limit: int) -> tuple[int, list[Told]]:
    """How many letters a digest gathers, and the first of them: all grave ones, and others while they are < `limit`."""
    count = select(func.count()).select_from(letters).where(letters.c.digest == into)
    mine = _told().where(letters.c.digest == into).order_by(letters.c.id)
    first = (await connection.execute(mine.where(_grave()))).all()
    if len(first) < limit:
        first = [*first, *(await connection.execute(mine.where(not_(_grave())).limit(limit - len(first)))).all()]
    return (await connection.execute(count)).scalar_one(), [Told(*one) for one in first]


async def known_recipients(connection: AsyncConnection) -> list[str]:
    """Whom letters go to."""
    return list((await connection.execute(select(recipients.c.email).order_by(recipients.c.email))).scalars())


async def set_recipients(connection: AsyncConnection, emails: Sequence[str], now: float) -> None:
    """Remember whom letters go to. What waits for an address that is gone goes to the new ones instead."""
    if set(emails) == set(await known_recipients(connection)):
        return
    await connection.execute(delete(recipients))
    await connection.execute(insert(recipients), [{"email": email} for email in dict.fromkeys(emails)])
    homeless = deliveries.c.state == "pending", deliveries.c.recipient.not_in(emails)
    moved = (await connection.execute(select(deliveries.c.letter).where(*homeless).distinct())).scalars().all()
    await connection.execute(update(deliveries).where(*homeless).values(state="void"))
    for email in dict.fromkeys(emails):
        has = select(deliveries.c.letter).where(deliveries.c.recipient == email, deliveries.c.letter.in_(moved))
        already = set((await connection.execute(has)).scalars())
        new = [_delivery(letter, email, now) for letter in moved if letter not in already]
        if new:
            await connection.execute(insert(deliveries), new)
    back = deliveries.c.state == "void", deliveries.c.recipient.in_(emails), deliveries.c.letter.in_(moved)
    await connection.execute(update(deliveries).where(*back).values(state="pending", next_at=now))


async def count(connection: AsyncConnection) -> Counts:
    """How many letters are not out yet, and how many deliveries the mail server refused for good."""
    unsent = sql_exists().where(deliveries.c.letter == letters.c.id, deliveries.c.state == "pending")
    still = letters.c.state.in_(("waiting", "ready")) | ((letters.c.state == "released") & unsent)
    waiting = select(func.count()).select_from(letters).where(still)
    refused_for_good = select(func.count()).select_from(deliveries)
    refused_for_good = refused_for_good.where(deliveries.c.state == "pending", deliveries.c.permanent.is_(True))
    return Counts(
        (await connection.execute(waiting)).scalar_one(), (await connection.execute(refused_for_good)).scalar_one()
    )


async def _digest(connection: AsyncConnection, source: str, first: int, now: float) -> int:
    """The source's open digest, or a new one."""
    mine = select(letters.c.id, letters.c.state, letters.c.created_at)
    mine = mine.where(letters.c.kind == "digest", letters.c.source == source).order_by(letters.c.id.desc()).limit(1)
    last = (await connection.execute(mine)).first()
    if last is not None and last.state == "waiting":
        uncut = select(func.count()).select_from(letters).where(letters.c.digest == last.id, _grave())
        if (await connection.execute(uncut)).scalar_one() < DIGEST_FULL:
            return int(last.id)
    made = await connection.execute(
        insert(letters).values(
            kind="digest",
            key=rules.digest_key(source, first),
            round=1,
            source=source,
            state="waiting",
            due_at=digest.due_at(last.created_at if last is not None else None, now),
            refused_by_gateway=False,
            created_at=now,
        )
    )
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def _grave() -> ColumnElement[bool]:
    """Whether a letter tells of something critical that was or may have been done."""
    done = func.coalesce(letters.c.ended, "").in_((Outcome.EXECUTED.value, Outcome.UNKNOWN.value))
    told_of = events.alias("told_of")
    critical = sql_exists().where(
        or_(told_of.c.row == letters.c.intent, told_of.c.row == letters.c.outcome),
        told_of.c.severity == Severity.CRITICAL.value,
    )
    return and_(done, critical)


def _proven() -> ColumnElement[bool]:
    """Whether a gateway's word stands behind a grave letter. Only a gateway's event becomes an intent (rules.part)."""
    return and_(letters.c.kind == "command", letters.c.intent.is_not(None), _grave())


def _delivery(letter: int, recipient: str, now: float) -> dict[str, Any]:
    return {
        "letter": letter,
        "recipient": recipient,
        "state": "pending",
        "attempts": 0,
        "next_at": now,
        "permanent": False,
    }


def _told() -> Select[Any]:
    return select(
        letters.c.id,
        letters.c.kind,
        letters.c.key,
        letters.c.round,
        letters.c.source,
        letters.c.intent,
        letters.c.outcome,
        letters.c.ended,
        letters.c.created_at,
    )
