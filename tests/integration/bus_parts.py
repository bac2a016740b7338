"""A bus at work on the real broker, for the tests of what it promises."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from shared.broker import mqtt
from shared.broker.bus import Bus, Delivery
from shared.broker.mqtt import Subscription
from tests.house import DEADLINE


class Line:
    """A bus at work: counts its ups and downs, keeps what it hears."""

    def __init__(self, broker: mqtt.BrokerConfig, *filters: str | Subscription, **options: bool | int) -> None:
        self.ups = self.downs = 0
        self.heard: list[Delivery] = []
        self._changed = asyncio.Event()
        self.bus = Bus(
            broker,
            subscriptions=tuple(f if isinstance(f, Subscription) else Subscription(f) for f in filters),
            on_message=self._on_message,
            on_up=self._on_up,
            on_down=self._on_down,
            **options,  # type: ignore[arg-type]  # keep_session and manual_ack, by name
        )

    def _on_message(self, delivery: Delivery) -> None:
        self.heard.append(delivery)
        self._changed.set()

    async def _on_up(self) -> None:
        self.ups += 1
        self._changed.set()

    def _on_down(self) -> None:
        self.downs += 1
        self._changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a change that fulfils `condition`; looks again now and then, for what sends no event."""
        async with asyncio.timeout(DEADLINE):
            while not condition():
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), 0.05)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Line"]:
        task = asyncio.create_task(self.bus.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator["Line"]:
        async with self.running():
            await self.until(lambda: self.ups)
            yield self
