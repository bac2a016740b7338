"""GET /history: who did what, where, when, from where and how it ended, newest first.

Its parameters are the filter's (gateway/inside/audit_query.py), `after` for the next page, and `row` for the page that
holds that row of the record, as letters name it.
"""

import asyncio
from typing import Any, Final

from aiohttp import web

from gateway import keys
from gateway.door import sessions
from gateway.inside import audit_query
from gateway.inside.audit_query import Happenings
from gateway.pages import faults, history_form, mail_notice, render
from gateway.pages.story import days
from gateway.picture import guards
from shared.words.internal import SessionInfo, User
from shared.words.internal_alerts import AuditFilter, AuditPage, ChainStatus
from shared.words.problem import HomeError

PAGE: Final = 50
_MOST: Final = 2**53 - 1


async def show_history(request: web.Request) -> web.StreamResponse:
    """Show a page of the history that the viewer may read. Without the alert service the page says so."""
    info = sessions.signed_in(request)
    zone = request.app[keys.CONFIG].zone
    given = history_form.active(request.query)
    after = row = problem = None
    happenings: Happenings = "too"
    wanted: AuditFilter | None = None
    try:
        wanted = audit_query.read(request.query, zone)
        happenings = audit_query.happenings(request.query, usually=happenings)
        after = audit_query.cursor(request.query)
        row = audit_query.number(request.query, "row", most=_MOST)
    except HomeError as error:
        problem = faults.detail(error)
    if wanted is None or problem is not None:
        return await _show(request, info, given, wanted, AuditPage(events=(), next=None), status=400, problem=problem)
    scope = guards.scope(info, guards.local_now(zone))
    try:
        page = await request.app[keys.ALERTS].history(
            scope, wanted, limit=PAGE, after=after, around=row, happenings=happenings
        )
    except HomeError as error:
        if error.slug != "alerts-unreachable":
            raise
        return await _show(request, info, given, wanted, None, status=503)
    return await _show(request, info, given, wanted, page, row=row, first=after is None and row is None)


async def _show(
    request: web.Request,
    info: SessionInfo,
    given: dict[str, str],
    wanted: AuditFilter | None,
    page: AuditPage | None,
    *,
    status: int = 200,
    row: int | None = None,
    first: bool = True,
    problem: str | None = None,
) -> web.StreamResponse:
    now = guards.local_now(request.app[keys.CONFIG].zone)
    rooms = guards.visible(info, request.app[keys.HOME].rooms(), now)
    events = page.events if page is not None else ()
    (chain, checked), known, mail = await asyncio.gather(
        _chain(request, info, asked=page is not None), _people(request, info), mail_notice.of(request, info)
    )
    names = history_form.people(info.user, known, events)
    older = history_form.address(given, after=page.next) if page is not None and page.next is not None else None
    values: dict[str, Any] = {
        "away": page is None,
        "mail": mail,
        "days": days.days(page, rooms, now) if page is not None else [],
        "form": history_form.make(given, wanted, names, rooms, now, problem),
        "newest": history_form.address(given),
        "older": older,
        "first": first,
        "row": row,
        "found": row is None or any(event.row == row for event in events),
        # Only those who follow the record live: to others it would tell of what they may not see.
        "head": page.head if page is not None and guards.may_hear_of_records(info) else 0,
        "newest_happening": page.newest if page is not None and guards.may_hear_of_records(info) else 0,
        "chain": chain,
        "checked": checked,
    }
    return await render.page(request, "history.html", status=status, **values)


async def _chain(request: web.Request, info: SessionInfo, *, asked: bool) -> tuple[ChainStatus | None, bool]:
    """Whether the record is whole, and whether that is told to this person at all."""
    if not (asked and guards.may_check_the_record(info)):
        return None, False
    try:
        return await request.app[keys.ALERTS].chain(), True
    except HomeError as error:
        if error.slug != "alerts-unreachable":
            raise
        return None, True


async def _people(request: web.Request, info: SessionInfo) -> tuple[User, ...]:
    """Whom the filter offers: everyone to whoever looks after them; without the auth service, nobody."""
    if not guards.may_manage_users(info):
        return ()
    try:
        return tuple(row.user for row in (await request.app[keys.AUTH].users()).users)
    except HomeError as error:
        if error.slug != "auth-unreachable":
            raise
        return ()
