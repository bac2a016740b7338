"""How a route joins the application: with the name of the limit that counts it (`[limits]` in gateway.toml).

Every route goes through `add`, so that none is left without a limit by oversight: without a name it counts under
"default". `None` is for what is free: static files and /healthz.
"""

from typing import Final

from aiohttp import web

from shared.door.web import Handler

DEFAULT: Final = "default"
STATIC: Final = "/static/"
_NOT_OURS: Final = ""
"""Instead of a limit's name, of what did not join by `add`: a preflight, or an address that is not there."""
BY_TOKEN: Final[web.AppKey[set[object]]] = web.AppKey("by_token")
"""The handlers that an API token opens; filled by `add`. All others it does not."""
ROUTE_LIMITS: Final[web.AppKey[dict[object, str | None]]] = web.AppKey("route_limits")
"""Which limit counts which handler; filled by `add`."""


def add(
    app: web.Application,
    method: str,
    path: str,
    handler: Handler,
    *,
    limit: str | None = DEFAULT,
    by_token: bool = False,
) -> None:
    """Add one route, counted under `limit`. GET answers HEAD too, except for what streams.

    `by_token`: an API token opens it, and the handler sees to the token's scope as it does to its viewer's rights.
    """
    resource = app.router.add_resource(path)
    resource.add_route(method, handler)
    if method == "GET" and limit not in ("streams", "exports"):
        resource.add_route("HEAD", handler)
    app[ROUTE_LIMITS][handler] = limit
    if by_token:
        app[BY_TOKEN].add(handler)


def limit_of(request: web.Request, app: web.Application) -> str | None:
    """The limit's name for what `request` matched; an address that is not there counts under "default"."""
    limit = app[ROUTE_LIMITS].get(request.match_info.handler, _NOT_OURS)
    if limit is not _NOT_OURS:
        return limit
    if request.path.startswith(STATIC):
        return None
    return "reads" if request.method == "OPTIONS" else DEFAULT
