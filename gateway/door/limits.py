"""How often anybody may ask: the windows of `[limits]`, counted in memory (ASVS 5.0 2.4.1, 6.3.1).

A window opens with its first request and counts until it ends; what exceeds it is answered 429 with the seconds to
wait. What makes things safer is never counted: the commands ask here only for other actions.
"""

import math
import time
from typing import Final

import msgspec
from aiohttp import web
from limits import RateLimitItem, parse_many

from gateway.config import LimitsConfig
from gateway.door import proxies, routes, sessions
from gateway.door.windows import Windows
from shared.door.doors import counted_as
from shared.door.entrance import Strike
from shared.running.config import ConfigError
from shared.running.log import security
from shared.words.internal import Budget
from shared.words.problem import HomeError

_BY_ACCOUNT: Final = frozenset({"login", "login_code"})
_IN_THE_HANDLER: Final = _BY_ACCOUNT | {"commands", "lockdown", "lockdown_code", "password"}
"""Counted where account, session, device or action are known; until somebody is signed in, the latter as "default"."""


class Limits:
    """The table and its counters."""

    def __init__(self, config: LimitsConfig) -> None:
        self._windows = Windows()
        self._items: dict[str, list[RateLimitItem]] = {}
        for name, text in msgspec.structs.asdict(config).items():
            try:
                self._items[name] = parse_many(text)
            except ValueError as error:
                raise ConfigError(f'limits.{name}: {text!r} is no limit; write it like "200/day;50/hour"') from error

    def hit(self, name: str, *key: str | None) -> None:
        """Count one request of `key` under `name`. Raises HomeError("rate-limited") with `retry_after` in seconds.

        A key with None in it is nobody in particular, and is not counted.
        """
        if None in key:
            return
        now = time.monotonic()
        # Looked at first: a request that one window refuses must not use up the others.
        if (full := self._full(name, key, now)) is not None:
            security("rate_limited", limit=name, key=" ".join(part or "" for part in key))
            wait = self._windows.ends_in((name, full, key), now)
            raise HomeError("rate-limited", retry_after=max(1, math.ceil(wait)))
        self._count(name, key, now)

    def spend(self, name: str, *key: str) -> bool:
        """Count one request of `key` under `name` where its windows have room; False where they have none."""
        now = time.monotonic()
        if self._full(name, key, now) is not None:
            return False
        self._count(name, key, now)
        return True

    def budgets(self, name: str) -> tuple[Budget, ...]:
        """What stands under `name`, for the auth service, which counts it."""
        return tuple(Budget(item.amount, item.get_expiry()) for item in self._items[name])

    def _full(self, name: str, key: tuple[str | None, ...], now: float) -> int | None:
        """Which of the windows has no room left."""
        for number, item in enumerate(self._items[name]):
            if self._windows.counted((name, number, key), now) >= item.amount:
                return number
        return None

    def _count(self, name: str, key: tuple[str | None, ...], now: float) -> None:
        for number, item in enumerate(self._items[name]):
            self._windows.count((name, number, key), item.get_expiry(), now)


LIMITS: Final = web.AppKey("limits", Limits)


def by_address(request: web.Request) -> str | None:
    """As whom an address counts: of IPv6 the network, since one household has billions of addresses.

    None for a trusted proxy's own: it stands for everybody whom it did not name, and one of them could lock all out.
    """
    return _address(request.app, request.remote or "")


def _address(app: web.Application, remote: str) -> str | None:
    return None if remote in app[proxies.PROXIES] else f"address:{counted_as(remote)}"


def who(request: web.Request) -> str | None:
    """Whom a request counts for: the API token, the signed-in user, else the address."""
    info = sessions.viewer(request)
    if info is not None and info.token is not None:
        return f"token:{info.id}"  # a program that runs wild uses up nothing of its owner's
    return f"user:{info.user.id}" if info is not None else by_address(request)


def count_refused(request: web.Request) -> None:
    """Count a request that was refused before `count` saw it.

    By address even where somebody is signed in, and apart from every route: whoever makes a browser send such
    requests uses up nothing that its user needs.
    """
    request.app[LIMITS].hit(routes.DEFAULT, "refused", by_address(request))


def strikes(app: web.Application) -> Strike:
    """What counts requests that cannot even be read, with those that were refused."""

    async def strike(remote: str) -> None:
        app[LIMITS].hit(routes.DEFAULT, "refused", _address(app, remote))

    return strike


def count(request: web.Request, app: web.Application, name: str) -> None:
    """Counts a request whose route names this limit; "default" counts per route. Raises rate-limited."""
    if name in _IN_THE_HANDLER:
        if name in _BY_ACCOUNT or sessions.viewer(request) is not None:
            return
        name = routes.DEFAULT
    if name == routes.DEFAULT:
        resource = request.match_info.route.resource
        where = resource.canonical if resource is not None else "nowhere"
        app[LIMITS].hit(name, where, who(request))
    else:
        app[LIMITS].hit(name, who(request))
