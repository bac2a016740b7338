"""Counting together with other gateways, beside the requests: none waits for the store, and each goes on without it.

What was counted here is added there at once, and what was counted elsewhere is learned with the answer and once a
second. So a gateway may let in what came in the moment before it heard of the others, and never waits for a network.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Hashable
from typing import Final, Protocol

from gateway.door.windows import Windows
from shared.running import backoff
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts
from shared.running.waiting import woken

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 5.0
_MOST_FOLLOWED: Final = 200
_MOST_FRESH: Final = 10_000


class Store(Protocol):
    """What is asked of the store; as limits.aio.storage.Storage."""

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount` more in the window of `expiry` seconds; how much that makes."""

    async def get(self, key: str) -> int:
        """How much was counted in the window that is open."""

    async def get_expiry(self, key: str) -> float:
        """When that window ends, in seconds since 1970."""


class Sharing:
    """Keeps `windows` equal to what all gateways counted; `away` is what the store raises where it is not there."""

    def __init__(
        self,
        store: Store,
        windows: Windows,
        *,
        away: type[Exception],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._windows = windows
        self._away = away
        self._monotonic = monotonic
        self._fresh: dict[Hashable, tuple[int, int]] = {}
        """Counted here and not yet there: the window's seconds, and how often."""
        self._followed: dict[Hashable, int] = {}
        self._woken = asyncio.Event()

    def note(self, key: Hashable, seconds: int) -> None:
        """It was counted here once more, in a window of so many seconds."""
        if key not in self._fresh and len(self._fresh) >= _MOST_FRESH:
            return  # the store is away, and addresses without end come by: here they count all the same
        self._fresh[key] = (seconds, self._fresh.get(key, (seconds, 0))[1] + 1)
        self._woken.set()

    async def run(self) -> None:
        """Exchange until cancelled."""
        attempt = 0
        while True:
            leave_if_stopped()  # redis-py swallows a cancellation that comes while it waits for an answer
            await woken(self._woken, LOOK_SECONDS)
            self._woken.clear()
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self.exchange()
            except (self._away, TimeoutError) as error:
                leave_if_stopped()
                if attempt == 0:
                    log.warning("This gateway counts for itself", extra=facts(reason=type(error).__qualname__))
                await asyncio.sleep(backoff.delay(attempt))
                attempt += 1
            else:
                if attempt:
                    log.info("Gateways count together again")
                attempt = 0

    async def exchange(self) -> None:
        """Tell what was counted here, and hear what was counted in all. Raises as the store does."""
        while self._fresh:
            key = next(iter(self._fresh))
            seconds, some = self._fresh[key]
            if self._windows.counted(key, self._monotonic()) == 0:  # over while the store was away
                del self._fresh[key]
                continue
            total = await self._store.incr(_text(key, seconds), seconds, some)
            later = self._fresh[key][1] - some
            if later:
                self._fresh[key] = (seconds, later)
            else:
                del self._fresh[key]
            self._followed.pop(key, None)
            self._followed[key] = seconds
            await self._learn(key, seconds, total + later)
        await self._look()

    async def _look(self) -> None:
        """Hear of what other gateways counted of those that came here of late."""
        now = self._monotonic()
        kept = [(key, seconds) for key, seconds in self._followed.items() if self._windows.counted(key, now)]
        self._followed = dict(kept[-_MOST_FOLLOWED:])
        for key, seconds in tuple(self._followed.items()):
            total = await self._store.get(_text(key, seconds))
            later = self._fresh.get(key, (seconds, 0))[1]
            if total + later > self._windows.counted(key, self._monotonic()):
                await self._learn(key, seconds, total + later)

    async def _learn(self, key: Hashable, seconds: int, total: int) -> None:
        before = self._fresh.get(key, (seconds, 0))[1]
        ends = await self._store.get_expiry(_text(key, seconds))
        total += self._fresh.get(key, (seconds, 0))[1] - before  # what was counted here meanwhile
        self._windows.learn(key, total, min(ends - time.time(), seconds), self._monotonic())


def _text(key: Hashable, seconds: int) -> str:
    """As what it stands there: whoever reads the store learns of nobody's address."""
    return hashlib.sha256(repr((key, seconds)).encode()).hexdigest()
