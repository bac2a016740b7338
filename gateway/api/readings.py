"""GET /api/v1/readings/{room}/{device}: what a sensor measured and how long an output was on, in points."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web

from gateway import keys
from gateway.charts.kinds import RECORDED, UNITS, is_measured
from gateway.door import sessions
from gateway.inside import audit_query
from gateway.picture import guards
from shared.door.web import json_response
from shared.words.internal_readings import ReadingPoint, ReadingsQuery
from shared.words.problem import HomeError

_USUALLY: Final = timedelta(days=1)
LONGEST_STEP: Final = 31_622_400
NAMES: Final = frozenset({"since", "until", "step"})
"""What can be asked for in the query."""


async def show(request: web.Request) -> web.Response:
    """{room, device, kind, unit, since, until, step, begun, points}; as much as one may see of the device itself."""
    info = sessions.signed_in(request)
    room, device = request.match_info["room"], request.match_info["device"]
    view = request.app[keys.HOME].view(room, device)
    zone = request.app[keys.CONFIG].zone
    if view is None or not guards.may_see(info, room, device, guards.local_now(zone)):
        raise HomeError("unknown-device")
    if view.kind not in RECORDED:
        raise HomeError("bad-request", f"Of a {view.kind} no readings are kept; the history has what it told.")
    for name in request.query:
        if name not in NAMES:
            raise HomeError("bad-request", f"{name[:40]}: there is no such parameter; there are since, until, step.")
    audit_query.check_names(request.query, "step")
    now = datetime.now(UTC)
    asked = {name: request.query[name] for name in ("since", "until") if request.query.get(name)}
    found = audit_query.read(asked, zone)
    until = found.until or max(now, found.since + _USUALLY if found.since is not None and found.since > now else now)
    since = found.since or until - _USUALLY
    query = ReadingsQuery(
        room=room,
        device=device,
        kind=view.kind,
        since=max(0, int(since.timestamp())),
        until=-(-int(until.timestamp() * 1000) // 1000),
        step=audit_query.number(request.query, "step", most=LONGEST_STEP),
    )
    try:
        page = await request.app[keys.READINGS].ask(query)
    except HomeError as error:
        if error.slug == "invalid-value":
            raise HomeError("bad-request", error.detail) from error
        raise
    measured = is_measured(view.kind)
    return json_response(
        {
            "room": room,
            "device": device,
            "kind": view.kind,
            "unit": UNITS[view.kind],
            "since": _moment(query.since),
            "until": _moment(query.until),
            "step": page.step,
            "begun": None if page.begun is None else _moment(page.begun),
            "points": [_point(one, measured=measured) for one in page.points],
        }
    )


def _point(point: ReadingPoint, *, measured: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "at": _moment(point.at),
        "seconds": point.seconds,
        "known": point.known,
        "fault": point.fault,
        "count": point.count,
        "min": point.min,
        "mean": None if point.mean is None else round(point.mean, 4),
        "max": point.max,
    }
    return found if measured else found | {"on": point.on}


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
