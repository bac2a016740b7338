"""Writes down who was refused: what is not permitted, and what other sites made a browser send (ASVS 5.0 16.3.2).

And counts what was refused before `limits.count` saw it: a request that cannot be read is a request.
"""

from typing import Final

from aiohttp import web

from gateway.door import limits
from shared.door.answering import method_of, place_of
from shared.door.web import USER
from shared.running.log import security
from shared.words.problem import HomeError

_EVENTS: Final = {"forbidden": "forbidden", "csrf": "csrf_refused"}


def note(request: web.Request, error: Exception, *, is_counted: bool) -> Exception:
    """Of a request that ended in `error`; what it is refused for, which is that it came too often where it did."""
    is_moved = isinstance(error, web.HTTPException) and error.status < 400
    try:
        if not is_moved and not is_counted:
            limits.count_refused(request)
    except HomeError as too_often:
        return too_often
    slug = error.slug if isinstance(error, HomeError) else ""
    if (event := _EVENTS.get(slug)) is not None:
        security(event, user=request.get(USER, "-"), method=method_of(request), path=place_of(request))
    return error
