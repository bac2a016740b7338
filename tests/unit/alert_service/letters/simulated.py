"""An event loop whose clock jumps to the next timer as soon as nothing else is left to do: hours in seconds."""

import asyncio
import queue
import selectors
from collections.abc import Callable, Coroutine
from typing import Any
from unittest import mock

import aiosqlite.core

from tests.unit.alert_service.parts import START


class _Selector(selectors.DefaultSelector):
    def __init__(self, at_work: set[asyncio.Future[Any]]) -> None:
        super().__init__()
        self.now = 0.0
        self._at_work = at_work

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._at_work:
            return super().select(None if timeout is None or timeout > 0 else 0)  # a thread is never outrun
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        found = super().select(0)
        if not found:
            self.now += timeout
        return found


class SimulatedLoop(asyncio.SelectorEventLoop):
    """`asyncio.sleep`, timeouts and limiters all live by its clock; it stands while the database's threads work."""

    def __init__(self, at_work: set[asyncio.Future[Any]]) -> None:
        self._chosen = _Selector(at_work)
        super().__init__(self._chosen)

    def time(self) -> float:
        return self._chosen.now


def now() -> float:
    """The simulated time in seconds since 1970."""
    return START + asyncio.get_running_loop().time()


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine function to its end in simulated time."""
    at_work: set[asyncio.Future[Any]] = set()

    class Watched(queue.SimpleQueue[Any]):
        def put_nowait(self, item: Any) -> None:
            future, _ = item
            if future is not None:
                at_work.add(future)
                future.add_done_callback(at_work.discard)
            super().put_nowait(item)

    with (
        mock.patch.object(aiosqlite.core, "SimpleQueue", Watched),
        asyncio.Runner(loop_factory=lambda: SimulatedLoop(at_work)) as runner,
    ):
        runner.run(main())
