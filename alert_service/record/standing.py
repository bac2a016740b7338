"""What the next rows of the chain follow, in SQL: one question before a batch, whatever there is to know.

Every question costs a change of thread or a way over the network, which is more than its answer.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row as SqlRow
from sqlalchemy import TextClause, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import arrivals, chain
from alert_service.tables import events

Key = tuple[str, str]
"""An event's source and id: the first with a key stands."""


class Standing(NamedTuple):
    """The newest row and its hash, the highest clock, and the last number of our own.

    `known` are the rows that some of the named events have already, `gone` those of the named users who were erased.
    """

    row: int
    head: str
    clock: int
    seq: int
    known: dict[Key, SqlRow[*tuple[Any, ...]]]
    gone: frozenset[str]


async def stands(connection: AsyncConnection, keys: Sequence[Key], users: Collection[str]) -> Standing:
    """Where the chain stands, and what it knows of these events and these users."""
    named = {"keys": _written(keys), "users": _written([(user,) for user in users])}
    found = (await connection.execute(_QUESTIONS[connection.dialect.name], named)).one()
    rows = _numbers.decode(found.known) if found.known else []
    return Standing(
        found.row or 0,
        chain.joinable(found.hash),
        found.clock or 0,
        found.seq or 0,
        await _named(connection, rows) if rows else {},
        frozenset(_texts.decode(found.gone)) if found.gone else frozenset(),
    )


async def _named(connection: AsyncConnection, rows: Sequence[int]) -> dict[Key, SqlRow[*tuple[Any, ...]]]:
    found = await connection.execute(select(events).where(events.c.row.in_(rows)))
    return {(one.source, one.id): one for one in found.all()}


_numbers = msgspec.json.Decoder(list[int])
_texts = msgspec.json.Decoder(list[str])


def _written(named: object) -> str:
    return msgspec.json.encode(named).decode()


def _question(elements: str, gather: str) -> TextClause:
    """A list goes in, and comes out, as one text in JSON: what takes and makes it is each database's own.

    `+clock`: by the index on it SQLite would take the clock of every row there is, and sort them, to find the last one.
    No `max(seq)`: until PostgreSQL has counted what is there, as after a restore, it would read all of our own rows.
    """
    last = 'SELECT {} FROM events {} ORDER BY "row" DESC LIMIT 1'
    number = "{} BETWEEN 0 AND 9223372036854775807"  # as tables.is_number
    return text(
        f"""
        SELECT
        ({last.format('"row"', "")}) AS "row",
        ({last.format("hash", "")}) AS hash,
        ({last.format("clock", "WHERE " + number.format("+clock"))}) AS clock,
        (SELECT seq FROM events WHERE source = '{arrivals.OURSELVES}' AND {number.format("seq")}
         ORDER BY seq DESC LIMIT 1) AS seq,
        (SELECT {gather.format('events."row"')} FROM {elements.format("keys")} AS named CROSS JOIN events
         WHERE events.source = named.value ->> 0 AND events.id = named.value ->> 1) AS known,
        (SELECT {gather.format("user_id")} FROM erased
         WHERE user_id IN (SELECT value ->> 0 FROM {elements.format("users")})) AS gone
        """
    )


_QUESTIONS = {
    "sqlite": _question("json_each(:{})", "json_group_array({})"),
    "postgresql": _question("jsonb_array_elements(CAST(:{} AS jsonb))", "CAST(json_agg({}) AS text)"),
}
