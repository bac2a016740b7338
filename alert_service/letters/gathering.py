"""The letters that gather others, in SQL: digests, refusals, and one person's acts on one device within a minute.

Called as letters are released (release.py). A letter that another tells is `gathered`, and points to it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row as SqlRow
from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.letters import mailbox
from alert_service.tables import events, letters
from alert_service.telling import digest, rules, together
from alert_service.telling.together import Pair, Standing

DIGEST, REFUSED, TOGETHER = "digest", "refused", "together"
KINDS = (DIGEST, REFUSED, TOGETHER)
"""A source's digest; what a source refused, which is told seldom; one person's acts on one device."""
DIGEST_FULL = 1000
"""A digest with so many lines that are never cut is closed for further ones: no mail server takes an endless letter."""


def pair_of(found: SqlRow[*tuple[Any, ...]], audience: str) -> Pair:
    """Whose act on what a letter tells, by the word of the event that names them."""
    return Pair(found.teller or found.source, found.user_id or found.issuer or "", found.place or "", audience)


async def standing(connection: AsyncConnection, now: float) -> dict[Pair, Standing]:
    """Which pairs were written about within the last minute, or are just being gathered."""
    named = letters.outerjoin(events, events.c.row == func.coalesce(letters.c.intent, letters.c.outcome))
    wanted = select(
        *(letters.c.id, letters.c.kind, letters.c.state, letters.c.audience, letters.c.source, letters.c.released_at),
        *(events.c.source.label("teller"), events.c.user_id, events.c.place, events.c.issuer),
    ).select_from(named)
    gathering = and_(letters.c.state == "waiting", letters.c.kind == TOGETHER)
    left = and_(letters.c.state == "released", letters.c.released_at > now - together.WINDOW_SECONDS)
    wanted = wanted.where(letters.c.kind.in_(("command", TOGETHER)), or_(gathering, left)).order_by(letters.c.id)
    known: dict[Pair, Standing] = {}
    for one in (await connection.execute(wanted)).all():
        pair = pair_of(one, one.audience or "")
        there = known.get(pair, Standing())
        if one.state == "waiting":
            count = select(func.count()).select_from(letters).where(letters.c.digest == one.id)
            there = there._replace(gathering=one.id, acts=(await connection.execute(count)).scalar_one())
        else:
            there = there._replace(left_at=max(there.left_at or one.released_at, one.released_at))
        known[pair] = there
    return known


async def open_together(
    connection: AsyncConnection, opened: Mapping[Pair, tuple[float, Sequence[int]]], now: float
) -> None:
    """Letters that gather what one person does on one device until that time; each is of the first that it gathers."""
    for pair, (due_at, some) in opened.items():
        first = (await connection.execute(select(letters).where(letters.c.id == some[0]))).one()
        into = await _open(
            connection,
            TOGETHER,
            first.source,
            pair.audience,
            some[0],
            now,
            due_at=due_at,
            intent=first.intent,
            outcome=first.outcome,
            ended=first.ended,
        )
        await gather(connection, some, into, pair.audience)


async def gather(connection: AsyncConnection, some: Sequence[int], into: int, audience: str) -> None:
    """From now on these are told by that letter."""
    await put(connection, some, state="gathered", digest=into, audience=audience)


async def open_digest(
    connection: AsyncConnection, source: str, audience: str, first: int, now: float, kind: str = DIGEST
) -> int:
    """The source's open digest for that audience, or a new one. What was refused waits a whole window."""
    mine = select(letters.c.id, letters.c.state, letters.c.created_at)
    mine = mine.where(letters.c.kind == kind, letters.c.source == source, letters.c.audience == audience)
    last = (await connection.execute(mine.order_by(letters.c.id.desc()).limit(1))).first()
    if last is not None and last.state == "waiting":
        uncut = select(func.count()).select_from(letters).where(letters.c.digest == last.id, mailbox.grave())
        if (await connection.execute(uncut)).scalar_one() < DIGEST_FULL:
            return int(last.id)
    due_at = digest.due_at(last.created_at if last is not None else None, now)
    if kind == REFUSED:
        due_at = now + digest.WINDOW_SECONDS
    return await _open(connection, kind, source, audience, first, now, due_at=due_at)


async def put(connection: AsyncConnection, some: Sequence[int], **values: object) -> None:
    """The same values for some letters."""
    if some:
        await connection.execute(update(letters).where(letters.c.id.in_(some)).values(**values))


def by_audience(some: Iterable[int], audiences: Mapping[int, str]) -> dict[str, list[int]]:
    """Letters by whom they are for."""
    found: dict[str, list[int]] = {}
    for letter in some:
        found.setdefault(audiences[letter], []).append(letter)
    return found


async def _open(
    connection: AsyncConnection, kind: str, source: str, audience: str, first: int, now: float, **values: object
) -> int:
    key = rules.digest_key(source, first)
    made = await connection.execute(
        insert(letters).values(
            kind=kind,
            key=key,
            round=await _round(connection, key),
            source=source,
            audience=audience,
            state="waiting",
            refused_by_gateway=False,
            created_at=now,
            **values,
        )
    )
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


async def _round(connection: AsyncConnection, key: str) -> int:
    """The next free round of a key: a digest may be merged into one that begins with the same letter."""
    highest = select(func.max(letters.c.round)).where(letters.c.key == key)
    return ((await connection.execute(highest)).scalar() or 0) + 1
