"""Whose word it is: marks what a room alone says of a person, or of other rooms than its own."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import chain
from alert_service.chain.sources import is_trusted, speaks_for
from alert_service.tables import events
from shared.words.messages import AuditEvent
from shared.words.names import is_gateway

CLAIMED_BY = "claimed_by"
"""In an event's detail: the room whose word alone it is that this person did it, or that it happened elsewhere."""


async def with_claims(connection: AsyncConnection, rows: Sequence[chain.Row]) -> list[AuditEvent]:
    """The events, marked where a room alone says who it was and no gateway confirms it, or speaks of other rooms."""
    of_rooms = [row for row in rows if not is_trusted(row.source)]
    claims = [row for row in of_rooms if row.event.who.user is not None or not speaks_for(row.source, row.event)]
    claimed = {row.row for row in claims}
    confirmed = await _confirmed(connection, [row for row in claims if row.event.command_id])
    return [
        _marked(row.event, row.source if row.row in claimed and _person(row.event) not in confirmed else None)
        for row in rows
    ]


async def _confirmed(connection: AsyncConnection, claims: Sequence[chain.Row]) -> set[tuple[str | None, ...]]:
    wanted = {row.event.command_id for row in claims if is_gateway(row.event.who.issuer)}
    if not wanted:
        return set()
    said = select(events.c.issuer, events.c.command_id, events.c.place, events.c.user_id, events.c.user_name)
    said = said.where(events.c.command_id.in_(wanted), events.c.source == events.c.issuer)
    return {tuple(one) for one in (await connection.execute(said)).all() if is_gateway(one.issuer)}


def _person(event: AuditEvent) -> tuple[str | None, ...]:
    user = event.who.user
    named = (user.id, user.name) if user is not None else (None, None)
    return (event.who.issuer, event.command_id, event.where, *named)


def _marked(event: AuditEvent, claimant: str | None) -> AuditEvent:
    """The mark is ours alone: a room that writes one itself would put its own act on another."""
    detail = {name: value for name, value in event.detail.items() if name != CLAIMED_BY}
    if claimant is not None:
        detail[CLAIMED_BY] = claimant
    return event if detail == event.detail else msgspec.structs.replace(event, detail=detail)
