"""The recorded events, newest first, in SQL: pages by cursor, narrowed to a person's own acts and places."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service import chain
from alert_service.records import as_row
from alert_service.rules import is_trusted, speaks_for
from alert_service.tables import events
from shared.internal import AuditPage
from shared.messages import AuditEvent
from shared.names import is_gateway

CLAIMED_BY = "claimed_by"
"""In an event's detail: the room whose word alone it is that this person did it, or that it happened elsewhere."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What may be seen: everything, or `user`'s own acts and what happened in these places (`room/*`: a room)."""

    user: str | None = None
    places: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether nothing is hidden."""
        return self.user is None


async def page(connection: AsyncConnection, scope: Scope, *, limit: int, after: int | None) -> AuditPage:
    """Up to `limit` events older than row `after`."""
    below: list[ColumnElement[bool]] = [] if after is None else [events.c.row < after]
    if scope.everything:
        wanted = select(events).where(*below)
    else:
        # One arm per person or place, each along its own index: no arm reads more rows than the page has.
        arms = [
            select(
                select(events.c.row).where(arm, *below).order_by(events.c.row.desc()).limit(limit + 1).subquery().c.row
            )
            for arm in _arms(scope)
        ]
        wanted = select(events).where(events.c.row.in_(union(*arms)))
    found = (await connection.execute(wanted.order_by(events.c.row.desc()).limit(limit + 1))).all()
    rows = [as_row(one) for one in found[:limit]]
    shown = await _with_claims(connection, rows)
    return AuditPage(events=tuple(shown), next=str(rows[-1].row) if len(found) > limit else None)


def _arms(scope: Scope) -> list[ColumnElement[bool]]:
    arms: list[ColumnElement[bool]] = [events.c.user_id == scope.user]
    for place in scope.places:
        room, _, device = place.partition("/")
        arms.append(events.c.room == room if device == "*" else events.c.place == place)
    return arms


async def _with_claims(connection: AsyncConnection, rows: Sequence[chain.Row]) -> list[AuditEvent]:
    """The events, marked where a room alone says who it was and no gateway confirms it, or speaks of other rooms."""
    of_rooms = [row for row in rows if not is_trusted(row.source)]
    claims = [row for row in of_rooms if row.event.who.user is not None or not speaks_for(row.source, row.event)]
    confirmed = await _confirmed(connection, [row for row in claims if row.event.command_id])
    return [
        _marked(row.event, row.source) if row in claims and _person(row.event) not in confirmed else row.event
        for row in rows
    ]


async def _confirmed(connection: AsyncConnection, claims: Sequence[chain.Row]) -> set[tuple[str | None, ...]]:
    wanted = {row.event.command_id for row in claims if is_gateway(row.event.who.issuer)}
    if not wanted:
        return set()
    said = select(events.c.issuer, events.c.command_id, events.c.place, events.c.user_id)
    said = said.where(events.c.command_id.in_(wanted), events.c.source == events.c.issuer)
    return {tuple(one) for one in (await connection.execute(said)).all() if is_gateway(one.issuer)}


def _person(event: AuditEvent) -> tuple[str | None, ...]:
    user = event.who.user
    return (event.who.issuer, event.command_id, event.where, user.id if user is not None else None)


def _marked(event: AuditEvent, source: str) -> AuditEvent:
    return msgspec.structs.replace(event, detail={**event.detail, CLAIMED_BY: source})
