"""Erases a person from the record, in SQL: what the rows hold of them goes, their hashes stay and still fit.

Called by the service for whomever the auth service names (departed.py), and by `homesystem user erase`, while the
service runs or not; by both at once, too. What producers tell of the person later enters without them (records.py).
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, String, cast, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import erasures, forms
from alert_service.chain.forms import Flat
from alert_service.record import records
from alert_service.tables import dailies, deliveries, erased, events, recipients
from shared.keeping.database import Store
from shared.running.log import facts
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

BATCH = 200
"""A transaction for so many rows: the service that writes beside us waits for milliseconds, not seconds.

An event of the record lists them, and takes no more.
"""


async def erase(
    store: Store, *, user_id: str, emails: Sequence[str], now: float, told: Callable[[int], None] = lambda _: None
) -> int:
    """Erase a user; returns in how many rows. `told` gets the count after each batch. May be called again.

    `emails`: every address that they have or had.
    """
    async with store.write() as connection:
        await records.alone(connection)  # whoever appends now knows of them afterwards, or is found by what follows
        await mark(connection, user_id, now)
        await _forget_letters(connection, user_id, emails)
    after, count = 0, 0
    while True:
        async with store.write() as connection:
            await records.alone(connection)
            wanted = select(events).where(events.c.row > after, _of(user_id)).order_by(events.c.row).limit(BATCH)
            found = [Flat._make(one) for one in (await connection.execute(wanted)).all()]
            bare = [flat.row for flat in found if await _erase(connection, flat, user_id)]
            if bare:
                await records.record(connection, [erasures.arrival(bare, now)], now, records.in_silence)
            count += len(bare)
        told(count)
        if len(found) < BATCH:
            break
        after = found[-1].row
    async with store.write() as connection:
        await _forget_days(connection)
    return count


async def count(store: Store, user_id: str) -> int:
    """How many rows name the user or tell of their account."""
    async with store.read() as connection:
        wanted = select(func.count()).select_from(events).where(_of(user_id))
        return (await connection.execute(wanted)).scalar_one()


def _of(user_id: str) -> ColumnElement[bool]:
    partner = f'"{records.PARTNER}":{msgspec.json.encode(user_id).decode()}'
    return or_(
        events.c.user_id == user_id,
        events.c.place == f"{records.USER_PLACE}{user_id}",
        events.c.detail.contains(partner, autoescape=True),
    )


async def _erase(connection: AsyncConnection, flat: Flat, user_id: str) -> bool:
    try:
        bare = forms.without_user(flat, user_id)._asdict()
    except msgspec.MsgspecError as error:
        raise HomeError("internal", f"row {flat.row} cannot be read; run `homesystem audit verify`") from error
    changed = {name: value for name, value in bare.items() if value != getattr(flat, name)}
    if changed:
        await connection.execute(update(events).where(events.c.row == flat.row).values(changed))
    return bool(changed)


async def mark(connection: AsyncConnection, user_id: str, now: float) -> None:
    """From now on what is told of them enters without them."""
    known = (await connection.execute(select(erased.c.user_id).where(erased.c.user_id == user_id))).scalar()
    if known is None:
        await connection.execute(insert(erased).values(user_id=user_id, at=int(now * 1_000_000)))


async def _forget_letters(connection: AsyncConnection, user_id: str, emails: Sequence[str]) -> None:
    """Whom letters went to; one that still waits is for the recipients of today, as soon as the service knows them.

    An address that is somebody else's by now stays: it tells of that one.
    """
    others = await connection.execute(select(recipients.c.email).where(recipients.c.id != user_id))
    of_others = {email.lower() for email in others.scalars()}
    gone = [email for email in emails if email.lower() not in of_others]
    to_them = or_(  # however the address was spelt when a letter went there
        deliveries.c.recipient.in_(gone), func.lower(deliveries.c.recipient).in_([email.lower() for email in gone])
    )
    mark = literal(f"erased/{user_id}/") + cast(deliveries.c.id, String)  # a letter goes to each of its recipients once
    forgotten = update(deliveries).where(to_them, deliveries.c.state != "pending")
    await connection.execute(forgotten.values(recipient=mark, refusal=None))


async def _forget_days(connection: AsyncConnection) -> None:
    """By whom things were done, in every daily letter that is kept: names stand there, and nobody's id."""
    for one in (await connection.execute(select(dailies.c.day, dailies.c.figures))).all():
        try:
            figures = _figures(one.figures)
        except msgspec.MsgspecError:
            log.warning("Figures of a day cannot be read", extra=facts(day=one.day))
            continue
        story = figures.get("story")
        done = story.get("done", []) if isinstance(story, dict) else []
        if [by for told in done if isinstance(told, dict) and (by := told.pop("by", None))]:
            text = msgspec.json.encode(figures).decode()
            await connection.execute(update(dailies).where(dailies.c.day == one.day).values(figures=text))


_figures = msgspec.json.Decoder(dict[str, Any]).decode
