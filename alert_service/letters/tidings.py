"""Letters about happenings, in SQL: put into the outbox with what they say, and read when they leave.

They are bounded where they are made, so no digest gathers them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import exists as sql_exists
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.letters.release import NOTICE, Leaving, OtherWay, deliveries_of
from alert_service.tables import deliveries, letters, tidings
from alert_service.telling.policy import Decision
from alert_service.telling.tidings import Letter
from shared.words.internal_recipients import Recipient


class Readers(NamedTuple):
    """Who can be told, and by which ways beside mail."""

    people: tuple[Recipient, ...]
    ways: tuple[OtherWay, ...] = ()


async def put(
    connection: AsyncConnection, key: str, source: str, to: Sequence[str], letter: Letter, readers: Readers, now: float
) -> None:
    """Into the outbox, ready to leave; one that was put there already is not put again."""
    if (await connection.execute(select(sql_exists().where(letters.c.key == key)))).scalar_one():
        return
    decision = Decision(tuple(sorted(set(to))), letter.urgent)
    made = await connection.execute(
        insert(letters).values(
            kind=NOTICE,
            key=key,
            round=1,
            source=source,
            audience=" ".join(decision.audience),
            state="released",
            refused_by_gateway=False,
            created_at=now,
            released_at=now,
        )
    )
    assert made.inserted_primary_key is not None
    number = int(made.inserted_primary_key[0])
    body = msgspec.json.encode(letter).decode()
    await connection.execute(insert(tidings).values(letter=number, body=body))
    leaving = deliveries_of(Leaving(number, decision), readers.people, readers.ways, now)
    if leaving:
        await connection.execute(insert(deliveries), leaving)


async def told(connection: AsyncConnection, letter: int) -> Letter:
    """What a letter says."""
    found = await connection.execute(select(tidings.c.body).where(tidings.c.letter == letter))
    return msgspec.json.decode(found.scalar_one(), type=Letter)
