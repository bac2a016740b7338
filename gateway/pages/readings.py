"""GET /readings/{room}/{device}: a chart of a day, a week, a month or a year, and the table behind it.

`span` says which of these, `at` a day that lies in it: today where it is not given.
"""

from datetime import date, timedelta
from typing import Any, Final

from aiohttp import web

from gateway import keys
from gateway.charts import kinds, lines, picture, scales, spans
from gateway.charts.picture import NARROW, WIDE, Shown
from gateway.charts.spans import Span
from gateway.door import sessions
from gateway.pages import render, speaking
from gateway.pages.speaking import say
from gateway.picture import guards
from gateway.picture.views import DeviceView
from shared.words.internal_readings import ReadingsPage, ReadingsQuery
from shared.words.languages import later
from shared.words.names import Kind
from shared.words.problem import HomeError

_KINDS: Final = {Kind.TEMPERATURE: later("Temperature"), Kind.HUMIDITY: later("Humidity")}


async def show_readings(request: web.Request) -> web.StreamResponse:
    """Show it. Without the recorder the page says so; what one may not see is answered like what is not there."""
    info = sessions.signed_in(request)
    view = request.app[keys.HOME].view(request.match_info["room"], request.match_info["device"])
    now = guards.local_now(request.app[keys.CONFIG].zone)
    if view is None or not guards.may_see(info, view.room, view.id, now) or view.kind not in kinds.RECORDED:
        raise HomeError("not-found")
    span = spans.span(request.query.get("span") or "day", request.query.get("at"), now, speaking.now())
    measured = kinds.is_measured(view.kind)
    query = ReadingsQuery(
        room=view.room,
        device=view.id,
        kind=view.kind,
        since=span.begin,
        until=span.end,
        borders=tuple(span.points(measured=measured)),
    )
    page = await _asked(request, query)
    shown = None
    if page is not None:
        shown = Shown(
            span=span,
            points=page.points,
            measured=measured,
            unit=kinds.UNITS[view.kind],
            begun=page.begun,
            until=min(max(int(now.timestamp()), span.begin), span.end),
            words=kinds.words(view.kind, span.spoken),
        )
    room = request.app[keys.HOME].room(view.room)
    values = _links(view, span, now.date()) | (_figures(shown, view.kind) if shown is not None else {})
    return await render.page(
        request,
        "readings.html",
        status=200 if shown is not None else 503,
        device=view,
        room_name=room.name if room is not None else view.room,
        span=span,
        away=shown is None,
        packed=True,
        **values,
    )


async def _asked(request: web.Request, query: ReadingsQuery) -> ReadingsPage | None:
    try:
        return await request.app[keys.READINGS].ask(query)
    except HomeError as error:
        if error.slug != "readings-unreachable":
            raise
        return None


def _links(view: DeviceView, span: Span, today: date) -> dict[str, Any]:
    place = f"/readings/{view.room}/{view.id}"

    def address(name: str, day: date | None) -> str | None:
        return None if day is None else f"{place}?span={name}&at={day.isoformat()}"

    last = span.first + timedelta(days=span.days - 1)
    kept = today if span.first <= today <= last else span.first
    return {
        "choices": [(name, address(name, kept), name == span.name) for name in spans.NAMES],
        "before": address(span.name, span.before()),
        "after": address(span.name, span.after(today)),
        "today": None if span.first <= today <= last else f"{place}?span={span.name}",
        "title": span.title(),
    }


def _figures(shown: Shown, kind: Kind) -> dict[str, Any]:
    found, spoken = lines.total(shown.points), shown.span.spoken
    heads = (say("Lowest"), say("Average"), say("Highest"))
    tiles = []
    if not shown.measured and found.known:
        _, on = shown.words
        share = f"{spoken.number(100 * found.on / found.known, digits=0)} %"
        tiles = [
            (say("Time {state}", state=on), scales.length(found.on, spoken), ""),
            (say("Of the time known"), share, ""),
        ]
    elif found.mean is not None and found.low is not None and found.high is not None:
        name = shown.span.point_name
        tiles = [
            (say("Lowest"), f"{spoken.number(found.low, digits=1)} {shown.unit}", name(found.low_at)),
            (say("Average"), f"{spoken.number(found.mean, digits=1)} {shown.unit}", ""),
            (say("Highest"), f"{spoken.number(found.high, digits=1)} {shown.unit}", name(found.high_at)),
        ]
    return {
        "pictures": [picture.draw(shown, size) for size in (NARROW, WIDE)],
        "tiles": tiles,
        "heads": heads if shown.measured else (say("Time {state}", state=shown.words[1]),),
        "key": say("time {state}", state=shown.words[1]),
        "lines": lines.table(shown),
        "measured": shown.measured,
        "unit": shown.unit,
        "nothing": found.known == 0 and found.fault == 0,
        "begun": shown.begun,
        "faulty": found.fault > 0,
        "summary": _summary(shown, found, kind),
    }


def _summary(shown: Shown, found: lines.Total, kind: Kind) -> str:
    """The picture in a sentence, for who does not see it."""
    title, spoken = shown.span.title(), shown.span.spoken
    if not shown.measured and found.known:
        length = scales.length(found.on, spoken)
        return say("{title}: {state} for {length}.", title=title, state=shown.words[1], length=length)
    if not shown.measured or found.mean is None or found.low is None or found.high is None:
        return say("{title}: nothing known.", title=title)
    low, mean, high = (spoken.number(value, digits=1) for value in (found.low, found.mean, found.high))
    return say(
        "{kind}, {title}: from {low} to {high} {unit}, {mean} on average.",
        kind=say(_KINDS[kind]),
        title=title,
        low=low,
        high=high,
        unit=shown.unit,
        mean=mean,
    )
