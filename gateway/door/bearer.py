"""API tokens in `Authorization: Bearer hs_…`: what a program brings instead of a cookie (docs/api.md, Tokens).

No browser sends that header on its own, and a page of another origin may only where `[cors]` lists it: so no CSRF token
is asked of such a request. A token opens the routes that say so (`by_token`) and no others. Another scheme, as a proxy
may leave it there, is none of ours.
"""

from typing import Final

from aiohttp import web

from gateway.door import cookie, routes, sessions
from shared.running.log import security
from shared.words.problem import HomeError
from shared.words.scopes import is_token

_HEADER: Final = "Authorization"
_SCHEME: Final = "bearer"
_MOST: Final = 256
_NONE: Final = "This token opens nothing: it was revoked, has ended, or is none of this home's."
_ELSEWHERE: Final = "A token opens devices, rooms, readings, commands and the event stream, each within its scope."


def of(request: web.Request) -> str | None:
    """The token that came with the request; None where it brought none.

    Raises bad-request for one beside our cookie, or beside another: whose request would it be?
    """
    if _HEADER not in request.headers:
        return None
    found = [text for text in request.headers.getall(_HEADER) if text.partition(" ")[0].lower() == _SCHEME]
    if not found:
        return None
    if len(found) > 1:
        raise HomeError("bad-request", "Send one token.")
    if cookie.COOKIE in request.headers.get("Cookie", ""):
        raise HomeError("bad-request", "Send a token or this home's cookie, not both.")
    return found[0].partition(" ")[2].strip()[:_MOST]


async def admit(request: web.Request, app: web.Application, token: str) -> None:
    """Finds out who comes with it, and whether tokens open this route at all.

    Raises sign-in-required, forbidden or auth-unreachable.
    """
    if not is_token(token):
        raise HomeError("sign-in-required", _NONE)
    await sessions.know_viewer(request, app, token)
    try:
        info = sessions.signed_in_for_safety(request)
    except HomeError as error:
        if error.slug == "sign-in-required":
            security("token_refused")
            raise HomeError("sign-in-required", _NONE) from error
        raise
    matched = request.match_info
    if matched.http_exception is None and matched.handler not in app[routes.BY_TOKEN]:
        security("forbidden", user=info.user.id)
        raise HomeError("forbidden", _ELSEWHERE)
