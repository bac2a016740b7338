"""Which letters leave, in SQL: to whom the rules send each, alone or in a digest, and what an outage left behind.

Called by the outbox. Nothing is deleted: a letter that no rule wants is `silent`, one that a digest tells `gathered`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, insert, not_, or_, select, update
from sqlalchemy import exists as sql_exists
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import chain, spoiled
from alert_service.config import MAIL
from alert_service.letters import mailbox
from alert_service.letters.mailbox import Told
from alert_service.record import records
from alert_service.tables import deliveries, events, letters
from alert_service.telling import digest, rules
from alert_service.telling.policy import Decision, Policy, reaches_masters
from alert_service.telling.story import Story
from shared.words.internal import Recipient
from shared.words.names import Outcome

DAILY = "daily"
"""The kind of the daily letter, which tells of no single event and is never gathered."""
NOTICE = "notice"
"""The kind of a letter about happenings (tidings.py): no digest gathers it."""
_WHOLE = (DAILY, NOTICE)
RELEASE_LIMIT = 500
"""How many letters are sorted out in one transaction."""
DIGEST_FULL = 1000
"""A digest with so many lines that are never cut is closed for further ones: no mail server takes an endless letter."""


class OtherWay(NamedTuple):
    """A way beside mail, as far as it matters here: it tells what the master users are told."""

    name: str
    urgent_only: bool


class Leaving(NamedTuple):
    """A letter that leaves, and to whom."""

    letter: int
    decision: Decision


async def release(
    connection: AsyncConnection, now: float, allowed: int, policy: Policy, ways: Sequence[OtherWay] = ()
) -> int:
    """Let ready letters leave, alone or in a digest; returns how many were sorted out. None without recipients."""
    people = await mailbox.known_people(connection)
    if not any(one.master for one in people):
        return 0
    named = letters.outerjoin(events, events.c.row == func.coalesce(letters.c.intent, letters.c.outcome))
    of_whom = events.c.user_id, events.c.place, events.c.issuer
    ready = mailbox.told_columns().add_columns(*of_whom, _proven().label("proven")).select_from(named)
    ready = ready.where(letters.c.state == "ready").order_by(letters.c.id).limit(RELEASE_LIMIT)
    found = (await connection.execute(ready)).all()
    if not found:
        return 0
    told = [Told(*one[: len(Told._fields)]) for one in found]
    stories = await stories_of(connection, told)
    decided = {
        one.letter: Decision(tuple((one.audience or "").split()), urgent=False)
        if one.kind == "digest"
        else policy.decide(story.matter)
        for one, story in zip(told, stories, strict=True)
    }
    await _set(connection, [letter for letter, decision in decided.items() if decision is None], state="silent")
    kept = [one for one in found if decided[one.id] is not None]
    plan = digest.plan(
        (
            digest.Ready(x.id, x.source, digest.party(x.user_id, x.place, x.issuer), x.proven)
            for x in kept
            if x.kind != "digest"
        ),
        await _left_alone(connection, now),
        allowed,
    )
    for source, gathered in plan.gathered.items():
        for audience, some in _by_audience(gathered, decided).items():
            into = await _digest(connection, source, audience, some[0], now)
            await _set(connection, some, state="gathered", digest=into, audience=audience)
    alone = [*plan.alone, *(x.id for x in kept if x.kind == "digest")]
    for audience, some in _by_audience(alone, decided).items():
        await _set(connection, some, state="released", released_at=now, audience=audience)
    made = [
        one
        for letter in alone
        if (decision := decided[letter]) is not None
        for one in deliveries_of(Leaving(letter, decision), people, ways, now)
    ]
    if made:
        await connection.execute(insert(deliveries), made)
    return len(found)


async def regather(connection: AsyncConnection, now: float, allowed: int) -> int:
    """Gather what could not leave by mail for a whole window, source by source; returns how many letters that were.

    Up to `allowed` of a source still leave alone. Past that all of them come in one digest, in order, what was done to
    something critical first: whoever comes home to hundreds of letters reads none. Older digests are merged into it.
    """
    mine = deliveries.c.letter == letters.c.id
    by_mail = and_(mine, deliveries.c.way == MAIL)
    waiting = select(letters.c.id, letters.c.source, letters.c.kind, letters.c.audience).where(
        letters.c.state == "released",
        letters.c.kind.not_in(_WHOLE),
        letters.c.released_at < now - digest.WINDOW_SECONDS,
        sql_exists().where(by_mail, deliveries.c.state == "pending"),
        # Told to somebody already, or refused for its own sake: no digest may tell it again.
        not_(sql_exists().where(by_mail, or_(deliveries.c.state == "sent", deliveries.c.refusal.is_not(None)))),
        # What a digest gathers cannot be moved while another way still has to tell it.
        or_(letters.c.kind != "digest", not_(sql_exists().where(mine, deliveries.c.way != MAIL, _pending()))),
    )
    found = (await connection.execute(waiting.order_by(letters.c.id))).all()
    counts = Counter(one.source for one in found)
    stale: dict[tuple[str, str], list[Any]] = {}
    for one in found:
        if counts[one.source] > allowed or (one.kind == "digest" and counts[one.source] > 1):
            stale.setdefault((one.source, one.audience), []).append(one)
    moved = 0
    for (source, audience), some in stale.items():
        singles = [one.id for one in some if one.kind != "digest"]
        digests = [one.id for one in some if one.kind == "digest"]
        if not singles and len(digests) < 2:
            continue
        into = await _digest(connection, source, audience, some[0].id, now)
        await _set(connection, singles, state="gathered", digest=into)
        await _set(connection, digests, state="merged")
        await connection.execute(update(letters).where(letters.c.digest.in_(digests)).values(digest=into))
        told = [one.id for one in some]
        done = update(deliveries).where(deliveries.c.letter.in_(told), deliveries.c.way == MAIL, _pending())
        await connection.execute(done.values(state="gathered"))
        moved += len(some)
    return moved


async def next_time(connection: AsyncConnection) -> float | None:
    """When the next letter or digest is settled for want of more, if any is."""
    waiting = select(func.min(letters.c.due_at)).where(letters.c.state == "waiting")
    found: float | None = (await connection.execute(waiting)).scalar()
    return found


async def stories_of(connection: AsyncConnection, told: Sequence[Told]) -> list[Story]:
    """What these letters tell."""
    numbers = {row for one in told for row in (one.intent, one.outcome) if row is not None}
    rows = await records.rows(connection, numbers)
    return [_story(one, rows) for one in told]


def _story(one: Told, rows: dict[int, chain.Row]) -> Story:
    intent = rows.get(one.intent) if one.intent is not None else None
    outcome = rows.get(one.outcome) if one.outcome is not None else None
    number = one.intent if one.intent is not None else one.outcome
    if intent is None and outcome is None and number is not None:
        outcome = spoiled.gone(number, one.created_at)
    return Story(ended=Outcome(one.ended or Outcome.UNKNOWN), intent=intent, outcome=outcome)


async def _left_alone(connection: AsyncConnection, now: float) -> Counter[tuple[str, str]]:
    """How many letters of each source and party left alone within the last window."""
    named = letters.outerjoin(events, events.c.row == func.coalesce(letters.c.intent, letters.c.outcome))
    of_whom = events.c.user_id, events.c.place, events.c.issuer
    counting = (
        select(letters.c.source, *of_whom, func.count().label("left"))
        .select_from(named)
        .where(letters.c.state == "released", letters.c.kind.not_in(("digest", *_WHOLE)), not_(_proven()))
        .where(letters.c.released_at > now - digest.WINDOW_SECONDS)
        .group_by(letters.c.source, *of_whom)
    )
    counts = Counter[tuple[str, str]]()
    for one in (await connection.execute(counting)).all():
        counts[one.source, digest.party(one.user_id, one.place, one.issuer)] += one.left
    return counts


async def _digest(connection: AsyncConnection, source: str, audience: str, first: int, now: float) -> int:
    """The source's open digest for that audience, or a new one."""
    mine = select(letters.c.id, letters.c.state, letters.c.created_at)
    mine = mine.where(letters.c.kind == "digest", letters.c.source == source, letters.c.audience == audience)
    last = (await connection.execute(mine.order_by(letters.c.id.desc()).limit(1))).first()
    if last is not None and last.state == "waiting":
        uncut = select(func.count()).select_from(letters).where(letters.c.digest == last.id, mailbox.grave())
        if (await connection.execute(uncut)).scalar_one() < DIGEST_FULL:
            return int(last.id)
    made = await connection.execute(
        insert(letters).values(
            kind="digest",
            key=rules.digest_key(source, first),
            round=await _round(connection, rules.digest_key(source, first)),
            source=source,
            audience=audience,
            state="waiting",
            due_at=digest.due_at(last.created_at if last is not None else None, now),
            refused_by_gateway=False,
            created_at=now,
        )
    )
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


async def _round(connection: AsyncConnection, key: str) -> int:
    """The next free round of a key: a digest may be merged into one that begins with the same letter."""
    highest = select(func.max(letters.c.round)).where(letters.c.key == key)
    return ((await connection.execute(highest)).scalar() or 0) + 1


async def _set(connection: AsyncConnection, some: Sequence[int], **values: object) -> None:
    if some:
        await connection.execute(update(letters).where(letters.c.id.in_(some)).values(**values))


def _by_audience(some: Iterable[int], decided: dict[int, Decision | None]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for letter in some:
        decision = decided[letter]
        assert decision is not None
        found.setdefault(" ".join(decision.audience), []).append(letter)
    return found


def deliveries_of(
    leaving: Leaving, people: Sequence[Recipient], ways: Sequence[OtherWay], now: float
) -> list[dict[str, Any]]:
    """A row for each address, and for each further way, by which it goes."""
    letter, decision = leaving
    by_mail = mailbox.addresses(" ".join(decision.audience), people)
    made = [mailbox.delivery(letter, email, now) for email in by_mail]
    if reaches_masters(decision.audience):
        told = [way.name for way in ways if decision.urgent or not way.urgent_only]
        made += [mailbox.delivery(letter, name, now, way=name) for name in told]
    return made


def _proven() -> ColumnElement[bool]:
    """Whether a gateway's word stands behind a grave letter: its intent, which is the event joined to the letter."""
    by_gateway = or_(events.c.source == "gateway", events.c.source.startswith("gateway-"))
    return and_(letters.c.kind == "command", letters.c.intent.is_not(None), by_gateway, mailbox.grave())


def _pending() -> ColumnElement[bool]:
    return deliveries.c.state == "pending"
