"""Which letters leave, in SQL: to whom the rules send each, alone or in a digest, and what an outage left behind.

Called by the outbox. Nothing is deleted: a letter that no rule wants is `silent`, one that a digest tells `gathered`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, insert, not_, or_, select, update
from sqlalchemy import Row as SqlRow
from sqlalchemy import exists as sql_exists
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import chain, spoiled
from alert_service.config import MAIL
from alert_service.letters import gathering, mailbox
from alert_service.letters.mailbox import Told
from alert_service.record import records
from alert_service.tables import deliveries, events, letters
from alert_service.telling import digest, together
from alert_service.telling.policy import Decision, Policy, is_refusal, reaches_masters
from alert_service.telling.story import Story
from shared.words.internal_recipients import Recipient
from shared.words.names import Outcome

DAILY = "daily"
"""The kind of the daily letter, which tells of no single event and is never gathered."""
NOTICE = "notice"
"""The kind of a letter about happenings (tidings.py): no digest gathers it."""
_WHOLE = (DAILY, NOTICE)
RELEASE_LIMIT = 500
"""How many letters are sorted out in one transaction."""
_MERGED = (gathering.DIGEST, gathering.REFUSED)
"""Two of these about one source are one too many, once both are late."""


class OtherWay(NamedTuple):
    """A way beside mail, as far as it matters here: it tells what the master users are told."""

    name: str
    urgent_only: bool


class Leaving(NamedTuple):
    """A letter that leaves, and to whom."""

    letter: int
    decision: Decision


async def release(
    connection: AsyncConnection,
    now: float,
    allowed: int,
    policy: Policy,
    ways: Sequence[OtherWay] = (),
    *,
    settled: Callable[[], bool] = lambda: True,
) -> int:
    """Let ready letters leave, alone or in a digest; returns how many were sorted out.

    None without recipients, nor while it is not `settled` whom they go to: asked once it is known what is ready.
    """
    people = await mailbox.known_people(connection)
    if not any(one.master for one in people):
        return 0
    found = await _ready(connection)
    if not found or not settled():
        return 0
    told = [Told(*one[: len(Told._fields)]) for one in found]
    stories = {one.letter: story for one, story in zip(told, await stories_of(connection, told), strict=True)}
    decided = {
        one.letter: await _decided_of_many(connection, one, policy)
        if one.kind in gathering.KINDS
        else policy.decide(stories[one.letter].matter)
        for one in told
    }
    await gathering.put(connection, [letter for letter, what in decided.items() if what is None], state="silent")
    audiences = {letter: " ".join(what.audience) for letter, what in decided.items() if what is not None}
    alone, rest = [x.id for x in found if x.kind in gathering.KINDS], []
    refused: dict[str, list[int]] = {}
    for one in found:
        decision = decided[one.id]
        if decision is None or one.kind in gathering.KINDS:
            continue
        if is_refusal(stories[one.id].matter) and not decision.urgent:
            refused.setdefault(one.source, []).append(one.id)
        else:
            rest.append(one)
    alone += await _sort_out(connection, rest, audiences, now, allowed)
    for source, some in refused.items():
        await _into_digests(connection, gathering.REFUSED, source, some, audiences, now)
    for audience, some in gathering.by_audience(alone, audiences).items():
        await gathering.put(connection, some, state="released", released_at=now, audience=audience)
    made = [
        one
        for letter in alone
        if (decision := decided[letter]) is not None
        for one in deliveries_of(Leaving(letter, decision), people, ways, now)
    ]
    if made:
        await connection.execute(insert(deliveries), made)
    return len(found)


async def _ready(connection: AsyncConnection) -> Sequence[SqlRow[*tuple[Any, ...]]]:
    """What `Told` holds, and whose act it is."""
    named = letters.outerjoin(events, events.c.row == func.coalesce(letters.c.intent, letters.c.outcome))
    of_whom = events.c.user_id, events.c.place, events.c.issuer, events.c.source.label("teller")
    ready = mailbox.told_columns().add_columns(*of_whom, _proven().label("proven")).select_from(named)
    return (
        await connection.execute(ready.where(letters.c.state == "ready").order_by(letters.c.id).limit(RELEASE_LIMIT))
    ).all()


async def _decided_of_many(connection: AsyncConnection, one: Told, policy: Policy) -> Decision:
    """To whom a letter goes that gathers others; what was done together is as urgent as the most urgent of it."""
    audience = tuple((one.audience or "").split())
    if one.kind != gathering.TOGETHER:
        return Decision(audience, urgent=False)
    _, some = await mailbox.gathered(connection, one.letter, together.FULL)
    decisions = [policy.decide(story.matter) for story in await stories_of(connection, some)]
    return Decision(audience, urgent=any(decision is not None and decision.urgent for decision in decisions))


async def _sort_out(
    connection: AsyncConnection,
    rest: Sequence[SqlRow[*tuple[Any, ...]]],
    audiences: dict[int, str],
    now: float,
    allowed: int,
) -> list[int]:
    """Gather what belongs together, or is too much; returns what leaves alone."""
    acts = [(one.id, gathering.pair_of(one, audiences[one.id])) for one in rest if one.kind == "command"]
    pairs = together.plan(acts, await gathering.standing(connection, now) if acts else {}, now)
    for into, some in pairs.joined.items():
        await gathering.gather(connection, some, into, audiences[some[0]])
    # A letter that gathers counts as the first of those in it: what nobody vouches for floods nobody this way either.
    opened = {some[0]: (pair, (due_at, some)) for pair, (due_at, some) in pairs.opened.items()}
    known = {*pairs.first, *opened}
    candidates = (
        digest.Ready(one.id, one.source, digest.party(one.user_id, one.place, one.issuer), one.proven)
        for one in rest
        if one.kind != "command" or one.id in known
    )
    plan = digest.plan(candidates, await _left_alone(connection, now), allowed)
    for source, some in plan.gathered.items():
        every = [letter for one in some for letter in (opened.pop(one)[1][1] if one in opened else [one])]
        await _into_digests(connection, gathering.DIGEST, source, every, audiences, now)
    await gathering.open_together(connection, dict(opened.values()), now)
    return [letter for letter in plan.alone if letter not in opened]


async def _into_digests(
    connection: AsyncConnection, kind: str, source: str, some: Sequence[int], audiences: dict[int, str], now: float
) -> None:
    for audience, those in gathering.by_audience(some, audiences).items():
        into = await gathering.open_digest(connection, source, audience, those[0], now, kind)
        await gathering.gather(connection, those, into, audience)


async def regather(connection: AsyncConnection, now: float, allowed: int) -> int:
    """Gather what could not leave by mail for a whole window, source by source; returns how many letters that were.

    Up to `allowed` of a source still leave alone. Past that all of them come in one digest, in order, what was done to
    something critical first: whoever comes home to hundreds of letters reads none. Older digests are merged into it.
    """
    mine = deliveries.c.letter == letters.c.id
    by_mail = and_(mine, deliveries.c.way == MAIL)
    # From what waits to its letters: those that left are all letters of all years.
    unsent = select(deliveries.c.letter).where(deliveries.c.way == MAIL, _pending()).distinct().subquery()
    waiting = select(letters.c.id, letters.c.source, letters.c.kind, letters.c.audience)
    waiting = waiting.join(unsent, unsent.c.letter == letters.c.id).where(
        letters.c.state == "released",
        letters.c.kind.not_in(_WHOLE),
        letters.c.released_at < now - digest.WINDOW_SECONDS,
        # Told to somebody already, or refused for its own sake: no digest may tell it again.
        not_(sql_exists().where(by_mail, or_(deliveries.c.state == "sent", deliveries.c.refusal.is_not(None)))),
        # What a digest gathers cannot be moved while another way still has to tell it.
        or_(
            letters.c.kind.not_in(gathering.KINDS), not_(sql_exists().where(mine, deliveries.c.way != MAIL, _pending()))
        ),
    )
    found = (await connection.execute(waiting.order_by(letters.c.id))).all()
    counts = Counter(one.source for one in found)
    stale: dict[tuple[str, str], list[Any]] = {}
    for one in found:
        if counts[one.source] > allowed or (one.kind in _MERGED and counts[one.source] > 1):
            stale.setdefault((one.source, one.audience), []).append(one)
    moved = 0
    for (source, audience), some in stale.items():
        singles = [one.id for one in some if one.kind not in gathering.KINDS]
        digests = [one.id for one in some if one.kind in gathering.KINDS]
        if not singles and len(digests) < 2:
            continue
        into = await gathering.open_digest(connection, source, audience, some[0].id, now)
        await gathering.put(connection, singles, state="gathered", digest=into)
        await gathering.put(connection, digests, state="merged")
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
        .where(
            letters.c.state == "released",
            letters.c.kind.not_in((gathering.DIGEST, gathering.REFUSED, *_WHOLE)),
            not_(_proven()),
        )
        .where(letters.c.released_at > now - digest.WINDOW_SECONDS)
        .group_by(letters.c.source, *of_whom)
    )
    counts = Counter[tuple[str, str]]()
    for one in (await connection.execute(counting)).all():
        counts[one.source, digest.party(one.user_id, one.place, one.issuer)] += one.left
    return counts


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
    return and_(
        letters.c.kind.in_(("command", gathering.TOGETHER)), letters.c.intent.is_not(None), by_gateway, mailbox.grave()
    )


def _pending() -> ColumnElement[bool]:
    return deliveries.c.state == "pending"
