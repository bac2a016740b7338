"""Work that goes on after the answer: bounded in number, and a failure ends the errand alone, never the service."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from shared.running.log import facts
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

MOST = 256


class Errands:
    """Runs coroutines as tasks of the service's own task group, which cancels them when the service stops."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._running: set[asyncio.Task[None]] = set()

    def start(self, errand: Coroutine[Any, Any, None], name: str) -> None:
        """Start one. Raises HomeError("rate-limited") when too many are under way."""
        if len(self._running) >= MOST:
            errand.close()
            raise HomeError("rate-limited", "Too many sign-ins are under way. Try again in a moment.", retry_after=10)
        task = self._group.create_task(_guarded(errand, name), name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._running:
            await asyncio.wait(self._running)


async def _guarded(errand: Coroutine[Any, Any, None], name: str) -> None:
    try:
        await errand
    except HomeError as error:
        log.warning("Errand failed", extra=facts(errand=name, reason=error))
    except Exception:
        log.exception("Errand failed", extra=facts(errand=name))
