"""Scripts of other origins: an exact allow-list, for calls that carry an API token, never for cookies (ASVS 5.0 3.4.2).

What no token opens is no other origin's either: no answer of it, nor to a cookie, may be read there. Without
`[cors] origins` no answer names any other origin, and nothing here is set up.
"""

import aiohttp_cors
from aiohttp import web

from gateway.door import limits, routes

_METHODS = ("GET", "POST")


def set_up(app: web.Application, origins: tuple[str, ...]) -> None:
    """Answer the listed origins' preflights on what tokens open; call it after all routes were added."""
    if not origins:
        return
    options = aiohttp_cors.ResourceOptions(  # type: ignore[no-untyped-call]  # aiohttp-cors leaves it untyped
        allow_credentials=False,
        expose_headers=("Retry-After", limits.LEFT, limits.POLICY),
        allow_headers=("Authorization", "Content-Type"),
        allow_methods=_METHODS,
        max_age=600,
    )
    cors = aiohttp_cors.setup(app, defaults=dict.fromkeys(origins, options))
    for resource in list(app.router.resources()):
        opened = [one for one in resource if one.handler in app[routes.BY_TOKEN] and one.method != "HEAD"]
        if opened:
            cors.add(resource)
            for route in opened:
                cors.add(route)
