"""Wakes whoever waits for something new in the record: told by the recorder, asked by the API."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Waiting:
    """One that waits; what happens while it looks elsewhere is not missed."""

    def __init__(self, ends_at: float) -> None:
        self._ends_at = ends_at
        self.woken = asyncio.Event()
        self.over = False

    async def more(self) -> bool:
        """Wait until something was recorded; False when the time is up, or when there will be no more."""
        if self.over:
            return False
        try:
            async with asyncio.timeout_at(self._ends_at):
                await self.woken.wait()
        except TimeoutError:
            return False
        self.woken.clear()
        return not self.over


class News:
    """Everyone that waits."""

    def __init__(self) -> None:
        self._waiting: set[Waiting] = set()
        self._closed = False

    @contextlib.asynccontextmanager
    async def waiting(self, seconds: float) -> AsyncIterator[Waiting]:
        """Wait for at most so long, counted from now."""
        one = Waiting(asyncio.get_running_loop().time() + seconds)
        one.over = self._closed
        self._waiting.add(one)
        try:
            yield one
        finally:
            self._waiting.discard(one)

    def tell(self) -> None:
        """Something was recorded."""
        for one in self._waiting:
            one.woken.set()

    def close(self) -> None:
        """Nothing more will be: we stop."""
        self._closed = True
        for one in self._waiting:
            one.over = True
        self.tell()
