"""Scripts of other origins: an exact allow-list, for calls that carry a token, never for cookies (ASVS 5.0 3.4.2).

Without `[cors] origins` no answer names any other origin, and nothing here is set up.
"""

import aiohttp_cors
from aiohttp import web

_API = "/api/"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def set_up(app: web.Application, origins: tuple[str, ...]) -> None:
    """Answer the listed origins' preflights on the API's routes; call it after all routes were added."""
    if not origins:
        return
    options = aiohttp_cors.ResourceOptions(  # type: ignore[no-untyped-call]  # aiohttp-cors leaves it untyped
        allow_credentials=False,
        expose_headers=("Retry-After",),
        allow_headers=("Authorization", "Content-Type"),
        allow_methods=_METHODS,
        max_age=600,
    )
    cors = aiohttp_cors.setup(app, defaults=dict.fromkeys(origins, options))
    for resource in list(app.router.resources()):
        if resource.canonical.startswith(_API):
            cors.add(resource)
            for route in list(resource):
                if route.method not in ("OPTIONS", "HEAD"):
                    cors.add(route)
