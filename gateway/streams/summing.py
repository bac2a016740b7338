"""When a room's sums are told: at once, and of a room that goes on changing no more often than people can look.

A large home changes all the time; what is told of it in sums must not cost more for each room that somebody could open.
"""

import asyncio
from collections.abc import Callable
from typing import Final

PAUSE_SECONDS: Final = 0.25
_AT_ONCE: Final = 8
"""Rooms in one go; a home that comes up as a whole leaves the loop to others in between."""


class Summing:
    """Gathers the rooms that changed; `tell` is called on the loop with each."""

    def __init__(self, tell: Callable[[str], None], *, pause: float = PAUSE_SECONDS) -> None:
        self._tell = tell
        self._pause = pause
        self._due: dict[str, None] = {}
        self._timer: asyncio.Handle | None = None
        self._told_at = float("-inf")

    def note(self, room: str) -> None:
        """Something about the room changed."""
        self._due[room] = None
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._told_at + self._pause), self._go)

    def _go(self) -> None:
        loop = asyncio.get_running_loop()
        for room in list(self._due)[:_AT_ONCE]:
            del self._due[room]
            self._tell(room)
        self._told_at = loop.time()
        self._timer = loop.call_soon(self._go) if self._due else None
