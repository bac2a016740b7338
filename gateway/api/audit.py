"""GET /api/v1/audit and /api/v1/audit/export: the history, newest first, as far as the viewer may read it."""

from typing import Final

from aiohttp import web

from gateway import keys
from gateway.api import audit_export
from gateway.door import sessions
from gateway.inside import audit_query
from gateway.inside.audit_query import Happenings
from gateway.picture import guards
from gateway.picture.guards import Scope
from shared.door.web import json_response
from shared.words.internal_alerts import AuditFilter
from shared.words.problem import HomeError

MOST_EVENTS: Final = 200
_USUALLY: Final = 50


async def show(request: web.Request) -> web.Response:
    """{events, next}; `next`, where there is more, goes into `after`. Where they are wanted, {…, happenings}, too."""
    scope, wanted, happenings = _asked(request, "limit", "after")
    limit = audit_query.number(request.query, "limit", most=MOST_EVENTS) or _USUALLY
    after = audit_query.cursor(request.query)
    page = await request.app[keys.ALERTS].history(scope, wanted, limit=limit, after=after, happenings=happenings)
    more = {} if happenings == "none" else {"happenings": page.happenings}
    return json_response({"events": page.events, "next": page.next, **more})


async def export(request: web.Request) -> web.StreamResponse:
    """All of it as a file, `format` csv or jsonl; see gateway/api/audit_export.py."""
    scope, wanted, happenings = _asked(request, "format")
    kind = request.query.get("format", "")
    form = audit_export.FORMS.get(kind)
    if form is None:
        raise HomeError("bad-request", f"format: write one of {', '.join(audit_export.FORMS)}.")
    return await audit_export.send(request, form, scope, wanted, happenings)


def _asked(request: web.Request, *names: str) -> tuple[Scope, AuditFilter, Happenings]:
    info = sessions.signed_in(request)
    audit_query.check_names(request.query, "happenings", *names)
    zone = request.app[keys.CONFIG].zone
    wanted = audit_query.read(request.query, zone)
    happenings = audit_query.happenings(request.query, usually="none")
    return guards.scope(info, guards.local_now(zone)), wanted, happenings
