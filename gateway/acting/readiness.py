"""Whether a command would be carried out now: broker, auth service and spool are looked at anew for whoever asks.

Those who ask at about the same time share one look, so that asking costs strangers more than it costs us.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from gateway.acting.proof import Proof
from gateway.picture.home import Home
from shared.broker.bus import Bus
from shared.words.problem import HomeError

FRESH_SECONDS: Final = 0.3
"""For so long a look is good."""
LOOK_SECONDS: Final = 0.6
"""What takes longer does not answer. With FRESH_SECONDS it makes an answer less than a second old."""


class Readiness:
    """Looks at what a command needs."""

    def __init__(
        self,
        bus: Bus,
        proof: Proof,
        home: Home,
        *,
        answers: Callable[[], Awaitable[bool]],
        shown: Callable[[], bool],
    ) -> None:
        """`answers`: has the auth service say that it could do its work. `shown`: the browsers' certificate is good."""
        self._bus = bus
        self._proof = proof
        self._home = home
        self._answers = answers
        self._shown = shown
        self._look: asyncio.Task[bool] | None = None
        self._began = 0.0

    async def now(self) -> bool:
        """As it is, or was less than a second ago."""
        loop = asyncio.get_running_loop()
        if self._look is None or loop.time() - self._began > FRESH_SECONDS:
            self._began = loop.time()
            self._look = asyncio.create_task(self._whole(), name="readiness")
        # Whoever hangs up does not end it for the others.
        return await asyncio.shield(self._look)

    async def _whole(self) -> bool:
        parts = (self._broker, self._answers, self._proof.look)
        answered = all(await asyncio.gather(*(_in_time(part) for part in parts)))
        return answered and self._shown() and not self._home.unregistered()

    async def _broker(self) -> bool:
        """A link over which nothing comes back looks whole until then, so that we say something and wait."""
        if not self._bus.connected or (beat := self._bus.beat()) is None:
            return False
        await asyncio.shield(beat)
        return True


async def _in_time(part: Callable[[], Awaitable[bool]]) -> bool:
    with contextlib.suppress(TimeoutError, HomeError):
        async with asyncio.timeout(LOOK_SECONDS):
            return await part()
    return False
