"""What pages say while another web authority is offered: on which day the home changes over, and whether this browser
was told often enough.

Which of them this browser trusts nobody can see before that day, so somebody says it, and a cookie keeps it.
"""

from typing import Final, NamedTuple

from aiohttp import web

from gateway import keys
from gateway.door import proxies
from gateway.door.authority import AUTHORITY
from gateway.pages import times
from gateway.picture import guards
from shared.trust.authority import Authority

PATH: Final = "/authority"
"""Where it stands at length."""
COOKIE: Final = "__Host-authority"
_KEPT_SECONDS: Final = 400 * 86400
"""Longer than one is offered, and as long as browsers keep any cookie."""


class Change(NamedTuple):
    """The authority that follows, on which day, in words; `known`: it was said to be installed on this device."""

    authority: Authority
    day: str
    known: bool


def of(request: web.Request) -> Change | None:
    """What is to change; None where no authority follows."""
    following = request.app[AUTHORITY].following()
    if following is None:
        return None
    now = guards.local_now(request.app[keys.CONFIG].zone)
    # A day that is over is not said: the timer that changes over has not come by yet.
    at = max(following.changes_at, now)
    known = request.cookies.get(COOKIE) == _mark(following.authority)
    return Change(following.authority, times.day_of(at, now), known)


def reminder(request: web.Request) -> str | None:
    """On which day, where this browser is to be reminded; it is not where it sees the certificate of a proxy."""
    if request.path == PATH or (change := of(request)) is None or change.known or proxies.came_by_proxy(request):
        return None
    return change.day


def remember(request: web.Request, response: web.StreamResponse) -> None:
    """This browser is reminded no more of the authority that follows now."""
    if (following := request.app[AUTHORITY].following()) is not None:
        mark = _mark(following.authority)
        response.set_cookie(COOKIE, mark, max_age=_KEPT_SECONDS, path="/", secure=True, httponly=True, samesite="Lax")


def _mark(authority: Authority) -> str:
    return authority.fingerprint.replace(":", "")[:32]
