"""The headers that make browsers careful with what we send, on every answer, streams and errors included.

ASVS 5.0 3.4.1 to 3.4.6. `Referrer-Policy: same-origin` and not `no-referrer`: with that Chromium sends `Origin: null`
on form posts, which the CSRF check must refuse.
"""

from http import HTTPStatus
from typing import Final

from aiohttp import web

from gateway.door.routes import STATIC

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "object-src 'none'"
)
_ALWAYS: Final = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Called by aiohttp before each answer's headers go out."""
    headers = response.headers
    headers.update(_ALWAYS)
    if not request.path.startswith(STATIC):
        headers["Cache-Control"] = "no-store"
    if response.status == HTTPStatus.UNAUTHORIZED:  # needs one (RFC 9110, 15.5.2); browsers know none of that name
        headers["WWW-Authenticate"] = "Bearer"
    # What we run on is nobody's business (ETSI EN 303 645 5.6-2).
    headers.popall("Server", None)
