"""GET /api/v1/audit?limit=&after=: the history, newest first, as far as the viewer may read it."""

from typing import Final

from aiohttp import web

from gateway import guards, keys, sessions
from shared.problem import HomeError
from shared.web import json_response

MOST_EVENTS: Final = 200
_USUALLY: Final = 50
_CURSOR_CHARACTERS: Final = 64


async def show(request: web.Request) -> web.Response:
    """{events, next}; `next`, where there is more, goes into `after`."""
    info = sessions.signed_in(request)
    limit = _limit(request.query.get("limit"))
    after = request.query.get("after")
    if after is not None and not (0 < len(after) <= _CURSOR_CHARACTERS):
        raise HomeError("invalid-value", "after: use what `next` of the page before says.")
    now = guards.local_now(request.app[keys.CONFIG].zone)
    scope = guards.scope(info, request.app[keys.HOME].room_ids(), now)
    return json_response(await request.app[keys.ALERTS].history(scope, limit=limit, after=after))


def _limit(text: str | None) -> int:
    if text is None:
        return _USUALLY
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:4]) <= MOST_EVENTS or len(text) > len("200"):
        raise HomeError("invalid-value", f"limit: use a whole number from 1 to {MOST_EVENTS}.")
    return int(text)
