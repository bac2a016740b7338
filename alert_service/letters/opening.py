"""The letters in the making, in SQL: new rows of the record open them, go on with them, or close them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row as SqlRow
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import chain
from alert_service.letters import gathering
from alert_service.tables import letters
from alert_service.telling import joining, rules
from alert_service.telling.policy import HOUSE_POLICY, Policy
from alert_service.telling.story import matter_of
from shared.words.names import Outcome

CASE_FIELDS = (
    letters.c.round,
    letters.c.intent,
    letters.c.outcome,
    letters.c.heard,
    letters.c.ended,
    letters.c.refused_by_gateway,
    letters.c.due_at,
)
_STILL_HERE = frozenset({"waiting", "ready"})
"""A letter's states before it is sorted out."""


class Opening:
    """Opens letters as the rules of one home want them: `policy` tells which ordinary events deserve one."""

    def __init__(self, policy: Policy = HOUSE_POLICY) -> None:
        self._policy = policy

    async def follow(self, connection: AsyncConnection, fresh: Sequence[chain.Row], now: float) -> bool:
        """Make, or go on with, the letters that new rows call for; in the transaction that appends them."""
        called = [(made, part) for made in fresh if (part := self._part(made)) is not rules.Part.NONE]
        for made, part in called:
            await _open(connection, made, part, now)
        return bool(called)

    def _part(self, made: chain.Row) -> rules.Part:
        """What a new row is to the letters: most are nothing, and cost no more than this."""
        wanted = self._policy.decide(matter_of(made.source, made.event)) is not None
        return rules.part(made.source, made.event, wanted=wanted)


async def expire(connection: AsyncConnection, now: float) -> int:
    """Close the cases whose time is up; returns how many letters that made ready."""
    due = select(letters.c.id, *CASE_FIELDS).where(letters.c.state == "waiting", letters.c.due_at <= now)
    made = 0
    for found in (await connection.execute(due.where(letters.c.kind == "command"))).all():
        closed = joining.expire(_case(found), now)
        if closed is not None:
            await _save(connection, found.id, closed)
            made += 1
    many = update(letters).where(
        letters.c.state == "waiting", letters.c.kind.in_(gathering.KINDS), letters.c.due_at <= now
    )
    return made + (await connection.execute(many.values(state="ready", due_at=None))).rowcount


async def _open(connection: AsyncConnection, made: chain.Row, part: rules.Part, now: float) -> None:
    """Make, or go on with, the letter that a new row calls for."""
    fixed = {"source": made.source, "created_at": now}
    if part is rules.Part.ALONE:
        case = joining.Case(outcome=made.row, heard=made.event.outcome, ended=made.event.outcome)
        key = rules.event_key(made.source, made.event.id)
        await connection.execute(insert(letters).values(kind="event", key=key, **fixed, **_letter(case)))
        return
    key = rules.command_key(made.event)
    newest = select(letters.c.id, letters.c.state, *CASE_FIELDS).where(letters.c.key == key)
    found = (await connection.execute(newest.order_by(letters.c.round.desc()).limit(1))).first()
    old = _case(found) if found is not None else None
    left = found is not None and found.state not in _STILL_HERE
    for case in joining.fold(old, part, made.row, made.source, made.event, now, left=left):
        if found is not None and old is not None and case.round == old.round:
            await _save(connection, found.id, case)
        else:
            await connection.execute(insert(letters).values(kind="command", key=key, **fixed, **_letter(case)))


async def _save(connection: AsyncConnection, letter: int, case: joining.Case) -> None:
    """A letter that is on its way stays there: only what it will say may still grow."""
    values = _letter(case)
    state = values.pop("state")
    await connection.execute(update(letters).where(letters.c.id == letter).values(**values))
    advance = update(letters).where(letters.c.id == letter, letters.c.state == "waiting")
    await connection.execute(advance.values(state=state))


def _case(found: SqlRow[*tuple[Any, ...]]) -> joining.Case:
    return joining.Case(
        round=found.round,
        intent=found.intent,
        outcome=found.outcome,
        heard=Outcome(found.heard) if found.heard else None,
        ended=Outcome(found.ended) if found.ended else None,
        refused_by_gateway=found.refused_by_gateway,
        due_at=found.due_at,
    )


def _letter(case: joining.Case) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(case),
        "heard": case.heard.value if case.heard else None,
        "ended": case.ended.value if case.ended else None,
        "state": "waiting" if case.ended is None else "ready",
    }
