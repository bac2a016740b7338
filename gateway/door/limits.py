"""How often anybody may ask: the windows of `[limits]`, counted in memory (ASVS 5.0 2.4.1, 6.3.1).

A window opens with its first request and counts until it ends; what exceeds it is answered 429 with the seconds to
wait. What makes things safer is never counted: the commands ask here only for other actions.
"""

import contextlib
import math
import time
from collections.abc import AsyncIterator, Callable, Hashable
from typing import Any, Final

import msgspec
from aiohttp import web
from limits import RateLimitItem, parse_many
from limits.aio.storage import RedisStorage
from limits.errors import ConfigurationError, StorageError

from gateway.config import LimitsConfig
from gateway.door import proxies, routes, sessions
from gateway.door.sharing import Store
from gateway.door.windows import Windows
from shared.door.doors import counted_as
from shared.door.entrance import Strike
from shared.running.config import ConfigError
from shared.running.log import security
from shared.words.internal import Budget
from shared.words.problem import HomeError

POLICY: Final = "RateLimit-Policy"
LEFT: Final = "RateLimit"
StoreAwayError = StorageError
_STORE_SECONDS: Final = 1.0
Key = tuple[str | None, ...]
_BY_ACCOUNT: Final = frozenset({"login", "login_code"})
_IN_THE_HANDLER: Final = _BY_ACCOUNT | {"commands", "lockdown", "lockdown_code", "password"}
"""Counted where account, session, device or action are known; until somebody is signed in, the latter as "default"."""


@contextlib.asynccontextmanager
async def shared_store(url: str) -> AsyncIterator[Store]:
    """The Redis at `url`, whose failures are StoreAwayError. Raises ConfigError where its package is not installed."""
    try:
        store = RedisStorage(
            f"async+{url}",
            wrap_exceptions=True,
            implementation="redispy",  # coredis, as limits takes it, wants older neighbours than ours
            key_prefix="homesystem:gateway",
            socket_connect_timeout=_STORE_SECONDS,
            socket_timeout=_STORE_SECONDS,
        )
    except ConfigurationError as error:
        raise ConfigError(f'counts.redis: {error}; install "homesystem[redis]"') from error
    try:
        yield store
    finally:
        bridge: Any = store.bridge  # the library itself never closes what it opened
        await bridge.storage.aclose()


class Limits:
    """The table and its counters."""

    def __init__(self, config: LimitsConfig) -> None:
        self._windows = self.windows = Windows()
        self.share: Callable[[Hashable, int], None] = lambda _key, _seconds: None
        """Told of what is counted, and how long its window is: for who counts together with other gateways."""
        self._items: dict[str, list[RateLimitItem]] = {}
        self._called: dict[str, list[str]] = {}
        self._policies: dict[str, str] = {}
        for name, text in msgspec.structs.asdict(config).items():
            try:
                self._items[name] = parse_many(text)
            except ValueError as error:
                raise ConfigError(f'limits.{name}: {text!r} is no limit; write it like "200/day;50/hour"') from error
            windows = self._items[name]
            called = [f'"{name}"' if len(windows) == 1 else f'"{name}-{item.get_expiry()}"' for item in windows]
            self._called[name] = called
            self._policies[name] = ", ".join(
                f"{one};q={item.amount};w={item.get_expiry()}" for one, item in zip(called, windows, strict=True)
            )

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

    def told(self, name: str, key: Key) -> tuple[str, str]:
        """What `name` allows, and what `key` has left of it: RateLimit-Policy and RateLimit, window by window."""
        now = time.monotonic()
        left = []
        for number, (item, called) in enumerate(zip(self._items[name], self._called[name], strict=True)):
            window = (name, number, key)
            rest = max(0, item.amount - self._windows.counted(window, now))
            ends = math.ceil(self._windows.ends_in(window, now)) or item.get_expiry()
            left.append(f"{called};r={rest};t={ends}")
        return self._policies[name], ", ".join(left)

    def budgets(self, name: str) -> tuple[Budget, ...]:
        """What stands under `name`, for the auth service, which counts it."""
        return tuple(Budget(item.amount, item.get_expiry()) for item in self._items[name])

    def _full(self, name: str, key: Key, now: float) -> int | None:
        """Which of the windows has no room left."""
        for number, item in enumerate(self._items[name]):
            if self._windows.counted((name, number, key), now) >= item.amount:
                return number
        return None

    def _count(self, name: str, key: Key, now: float) -> None:
        for number, item in enumerate(self._items[name]):
            self._windows.count((name, number, key), item.get_expiry(), now)
            self.share((name, number, key), item.get_expiry())


LIMITS: Final = web.AppKey("limits", Limits)
_COUNTED: Final[web.RequestKey[tuple[str, Key]]] = web.RequestKey("counted", tuple)
"""Under which limit, and for whom, the request counted; where it was refused, the one that refused it."""


def hit(request: web.Request, name: str, *key: str | None) -> None:
    """Count the request of `key` under `name`, for its answer to tell of. Raises rate-limited."""
    if None in key:
        return
    if _COUNTED not in request:
        request[_COUNTED] = (name, key)
    try:
        request.app[LIMITS].hit(name, *key)
    except HomeError:
        request[_COUNTED] = (name, key)
        raise


def spend(request: web.Request, name: str, *key: str) -> bool:
    """As `hit`, but False where there is no room left, so that the request may count for somebody else."""
    if not request.app[LIMITS].spend(name, *key):
        return False
    request[_COUNTED] = (name, key)
    return True


async def tell(request: web.Request, response: web.StreamResponse) -> None:
    """Called by aiohttp before each answer's headers go out: how much is left, and until when.

    RateLimit and RateLimit-Policy as draft-ietf-httpapi-ratelimit-headers-10 writes them; none where nothing counted.
    """
    counted = request.get(_COUNTED)
    if counted is not None:
        response.headers[POLICY], response.headers[LEFT] = request.app[LIMITS].told(*counted)


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
    hit(request, routes.DEFAULT, "refused", by_address(request))


def strikes(app: web.Application) -> Strike:
    """What counts requests that cannot even be read, with those that were refused."""

    async def strike(remote: str) -> None:
        app[LIMITS].hit(routes.DEFAULT, "refused", _address(app, remote))

    return strike


def count(request: web.Request, name: str) -> None:
    """Counts a request whose route names this limit; "default" counts per route. Raises rate-limited."""
    if name in _IN_THE_HANDLER:
        if name in _BY_ACCOUNT or sessions.viewer(request) is not None:
            return
        name = routes.DEFAULT
    if name == routes.DEFAULT:
        resource = request.match_info.route.resource
        where = resource.canonical if resource is not None else "nowhere"
        hit(request, name, where, who(request))
    else:
        hit(request, name, who(request))
