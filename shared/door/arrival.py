"""When each request on a connection began to come in: whatever it waits for after that makes it no younger.

A head may trickle in, and requests may follow one another without waiting for answers; what they wait in is ours.
"""

from collections import deque
from typing import Final

from aiohttp import web

ARRIVED: Final = web.RequestKey("arrived", float)
"""When a request's first byte came in, in seconds since 1970."""


class Arrivals:
    """Those of one connection. Times are in seconds since 1970."""

    def __init__(self) -> None:
        self._heard_at = 0.0
        self._began: float | None = None
        self._complete: deque[float] = deque()

    def hear(self, now: float, *, in_body: bool) -> None:
        """Bytes came in; `in_body` where they begin inside the body of a request whose head is known."""
        self._heard_at = now
        if self._began is None and not in_body:
            self._began = now

    def complete(self, heads: int) -> None:
        """With what was heard last so many heads were complete."""
        for _ in range(heads):
            self._complete.append(self._began or self._heard_at)
            self._began = None

    def next(self, now: float) -> float:
        """When the next request to be answered began to come in."""
        return self._complete.popleft() if self._complete else now
