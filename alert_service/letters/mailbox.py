"""The outbox in SQL: to whom letters go and by which way, what is due, and what was said to it.

Called by the carriers and by the one who knows the recipients; nothing is ever deleted here. Which letters may leave
at all stands in release.py.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, not_, or_, select, update
from sqlalchemy import exists as sql_exists
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.config import MAIL
from alert_service.tables import deliveries, events, letters, recipients, settings
from alert_service.telling.policy import EVERYONE, MASTERS
from shared.words.internal_recipients import Recipient
from shared.words.languages import Language, known_language
from shared.words.names import Outcome, Severity


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
    audience: str | None
    created_at: float


class Counts(NamedTuple):
    """How the outbox fares."""

    waiting: int
    refused: int


async def due(connection: AsyncConnection, way: str, now: float, limit: int, *, untried: bool = False) -> list[Due]:
    """The deliveries of a way whose time has come: each source's oldest first, in turn, so that none waits for a
    flood's.

    `untried`: before all that, those that were tried the least, so that one with which all goes wrong is not the only
    one that is tried.
    """
    turn = func.row_number().over(partition_by=letters.c.source, order_by=deliveries.c.id).label("turn")
    wanted = (
        select(deliveries.c.id, deliveries.c.letter, deliveries.c.recipient, deliveries.c.attempts, turn)
        .join(letters, letters.c.id == deliveries.c.letter)
        .where(deliveries.c.way == way, deliveries.c.state == "pending", deliveries.c.next_at <= now)
    )
    order = (deliveries.c.attempts, turn, deliveries.c.id) if untried else (turn, deliveries.c.id)
    found = await connection.execute(wanted.order_by(*order).limit(limit))
    return [Due(x.id, x.letter, x.recipient, x.attempts) for x in found.all()]


async def waits(connection: AsyncConnection, delivery: int) -> bool:
    """Whether a delivery that was due is one still: it is none once its letter goes elsewhere."""
    wanted = select(deliveries.c.id).where(deliveries.c.id == delivery, deliveries.c.state == "pending")
    return (await connection.execute(wanted)).first() is not None


async def next_delivery(connection: AsyncConnection, way: str) -> float | None:
    """When the next delivery of a way is due, if any is."""
    pending = select(func.min(deliveries.c.next_at))
    found: float | None = (
        await connection.execute(pending.where(deliveries.c.way == way, deliveries.c.state == "pending"))
    ).scalar()
    return found


async def stale(connection: AsyncConnection, way: str, before: float) -> list[Due]:
    """What waits by a way since before that moment, oldest letter first."""
    wanted = select(deliveries.c.id, deliveries.c.letter, deliveries.c.recipient, deliveries.c.attempts)
    wanted = wanted.join(letters, letters.c.id == deliveries.c.letter).order_by(deliveries.c.id)
    waiting = deliveries.c.way == way, deliveries.c.state == "pending", letters.c.released_at < before
    return [Due(*one) for one in (await connection.execute(wanted.where(*waiting))).all()]


async def summed(connection: AsyncConnection, told_of: Sequence[int], now: float) -> None:
    """These deliveries were told of in one message."""
    done = update(deliveries).where(deliveries.c.id.in_(told_of))
    await connection.execute(done.values(state="gathered", sent_at=now))


async def remember(connection: AsyncConnection, name: str, value: str | None) -> None:
    """Keep a value over a restart; None forgets it."""
    await connection.execute(delete(settings).where(settings.c.name == name))
    if value is not None:
        await connection.execute(insert(settings).values(name=name, value=value))


async def remembered(connection: AsyncConnection, name: str) -> str | None:
    """What was kept."""
    found: str | None = (await connection.execute(select(settings.c.value).where(settings.c.name == name))).scalar()
    return found


async def sent(connection: AsyncConnection, delivery: int, now: float) -> None:
    """The mail server took it."""
    done = update(deliveries).where(deliveries.c.id == delivery)
    await connection.execute(done.values(state="sent", sent_at=now, refusal=None, permanent=False))


async def accepted_at(connection: AsyncConnection, way: str = "mail") -> float | None:
    """When a way took the newest of the letters that it took, as far as that is kept."""
    taken = select(deliveries.c.sent_at).where(deliveries.c.way == way, deliveries.c.state == "sent")
    found: float | None = (await connection.execute(taken.order_by(deliveries.c.sent_at.desc()).limit(1))).scalar()
    return found


async def refused(connection: AsyncConnection, delivery: int, *, refusal: str, permanent: bool, next_at: float) -> None:
    """The mail server refused this one; it is tried again at `next_at`."""
    failed = update(deliveries).where(deliveries.c.id == delivery)
    await connection.execute(
        failed.values(refusal=refusal[:200], permanent=permanent, next_at=next_at, attempts=deliveries.c.attempts + 1)
    )


async def put_off(connection: AsyncConnection, delivery: int, *, next_at: float) -> None:
    """Nobody answered, so it may or may not be this one's fault; it is tried again at `next_at`."""
    waits = update(deliveries).where(deliveries.c.id == delivery)
    await connection.execute(waits.values(next_at=next_at, attempts=deliveries.c.attempts + 1))


async def take_up(connection: AsyncConnection, way: str, now: float) -> None:
    """What was put off because nobody answered need wait no longer; what was refused for its own sake does."""
    waits = deliveries.c.way == way, deliveries.c.state == "pending", deliveries.c.refusal.is_(None)
    await connection.execute(update(deliveries).where(*waits, deliveries.c.next_at > now).values(next_at=now))


async def refusals(connection: AsyncConnection, most: int) -> list[tuple[str, str]]:
    """Addresses whose letters are refused while others leave, each with what was last said; up to `most` of them."""
    wanted = select(deliveries.c.recipient, func.max(deliveries.c.refusal)).group_by(deliveries.c.recipient)
    refused_now = deliveries.c.way == MAIL, deliveries.c.state == "pending", deliveries.c.refusal.is_not(None)
    found = await connection.execute(wanted.where(*refused_now).order_by(deliveries.c.recipient).limit(most))
    return [(row[0], row[1]) for row in found.all()]


async def told(connection: AsyncConnection, letter: int) -> Told:
    """One letter of the outbox."""
    return Told(*(await connection.execute(told_columns().where(letters.c.id == letter))).one())


async def gathered(connection: AsyncConnection, into: int, limit: int) -> tuple[int, list[Told]]:
    """How many letters a digest gathers, and the first of them: all grave ones, and others while they are < `limit`."""
    count = select(func.count()).select_from(letters).where(letters.c.digest == into)
    mine = told_columns().where(letters.c.digest == into).order_by(letters.c.id)
    first = (await connection.execute(mine.where(grave()))).all()
    if len(first) < limit:
        first = [*first, *(await connection.execute(mine.where(not_(grave())).limit(limit - len(first)))).all()]
    return (await connection.execute(count)).scalar_one(), [Told(*one) for one in first]


async def known_people(connection: AsyncConnection) -> tuple[Recipient, ...]:
    """Whom letters may go to."""
    found = await connection.execute(select(recipients).order_by(recipients.c.email))
    return tuple(
        Recipient(id=x.id, email=x.email, master=x.master, language=known_language(x.language or ""))
        for x in found.all()
    )


def addresses(audience: str | None, people: Sequence[Recipient]) -> list[str]:
    """Where the letters for an audience go. Nobody at all, because who was named is gone: the master users."""
    words = (audience or MASTERS).split()
    found = [word for word in words if "@" in word]
    found += [
        one.email
        for one in people
        if EVERYONE in words or f"user/{one.id}" in words or (one.master and MASTERS in words)
    ]
    return list(dict.fromkeys(found or [one.email for one in people if one.master]))


async def language_of(connection: AsyncConnection, address: str) -> Language | None:
    """The language of whoever reads at an address; None for the home's."""
    chosen = select(recipients.c.language).where(recipients.c.email == address).limit(1)
    return known_language((await connection.execute(chosen)).scalar() or "")


async def set_people(connection: AsyncConnection, people: Sequence[Recipient], now: float) -> None:
    """Remember whom letters may go to. What waits for an address that is gone goes to the others it is for instead."""
    if set(people) == set(await known_people(connection)):
        return
    await connection.execute(delete(recipients))
    if people:
        await connection.execute(insert(recipients), [msgspec.structs.asdict(one) for one in people])
    by_mail = select(
        deliveries.c.id, deliveries.c.letter, deliveries.c.recipient, deliveries.c.state, letters.c.audience
    )
    by_mail = by_mail.join(letters, letters.c.id == deliveries.c.letter).where(deliveries.c.way == MAIL)
    waiting = select(deliveries.c.letter).where(deliveries.c.way == MAIL, deliveries.c.state == "pending")
    found: dict[int, list[Any]] = {}
    for row in (await connection.execute(by_mail.where(deliveries.c.letter.in_(waiting)))).all():
        found.setdefault(row.letter, []).append(row)
    for letter, rows in found.items():
        wanted = addresses(rows[0].audience, people)
        homeless = [row.id for row in rows if row.state == "pending" and row.recipient not in wanted]
        if not homeless:
            continue
        there = {row.recipient for row in rows}
        new = [delivery(letter, email, now) for email in wanted if email not in there]
        back = [row.id for row in rows if row.state == "void" and row.recipient in wanted]
        await connection.execute(update(deliveries).where(deliveries.c.id.in_(homeless)).values(state="void"))
        if new:
            await connection.execute(insert(deliveries), new)
        await connection.execute(
            update(deliveries).where(deliveries.c.id.in_(back)).values(state="pending", next_at=now)
        )


async def count(connection: AsyncConnection) -> Counts:
    """How many letters are not out yet, and how many deliveries the mail server refused for good."""
    open_still = select(func.count()).select_from(letters).where(letters.c.state.in_(("waiting", "ready")))
    # From what waits to its letters: those that left are all letters of all years.
    unsent = select(func.count(deliveries.c.letter.distinct())).join(letters, letters.c.id == deliveries.c.letter)
    leaving = unsent.where(deliveries.c.way == MAIL, deliveries.c.state == "pending", letters.c.state == "released")
    refused_for_good = select(func.count()).select_from(deliveries)
    refused_for_good = refused_for_good.where(
        deliveries.c.way == MAIL, deliveries.c.state == "pending", deliveries.c.permanent.is_(True)
    )
    waiting, left, refused = [
        (await connection.execute(one)).scalar_one() for one in (open_still, leaving, refused_for_good)
    ]
    return Counts(waiting + left, refused)


def grave() -> ColumnElement[bool]:
    """Whether a letter tells of something critical that was or may have been done."""
    done = func.coalesce(letters.c.ended, "").in_((Outcome.EXECUTED.value, Outcome.UNKNOWN.value))
    told_of = events.alias("told_of")
    critical = sql_exists().where(
        or_(told_of.c.row == letters.c.intent, told_of.c.row == letters.c.outcome),
        told_of.c.severity == Severity.CRITICAL.value,
    )
    return and_(done, critical)


def delivery(letter: int, recipient: str, now: float, way: str = MAIL) -> dict[str, Any]:
    """The row of a new delivery."""
    return {
        "letter": letter,
        "recipient": recipient,
        "way": way,
        "state": "pending",
        "attempts": 0,
        "next_at": now,
        "permanent": False,
    }


def told_columns() -> Select[Any]:
    """A select of what `Told` holds."""
    return select(
        letters.c.id,
        letters.c.kind,
        letters.c.key,
        letters.c.round,
        letters.c.source,
        letters.c.intent,
        letters.c.outcome,
        letters.c.ended,
        letters.c.audience,
        letters.c.created_at,
    )
