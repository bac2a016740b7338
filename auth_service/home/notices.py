"""What this service keeps retained at the broker, for every room and gateway: the lock-outs and the lockdown.

Nothing on the broker is the truth: the database is, and a notice is published again whenever it may differ.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.broker.bus import Bus
from shared.keeping.database import Store
from shared.running.log import facts
from shared.running.seldom import Seldom
from shared.running.waiting import woken
from shared.words.messages import Message
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

F = TypeVar("F")

_PATROL_SECONDS = 1.0
_COMPLAINT_SECONDS = 60.0


class Notice(NamedTuple, Generic[F]):
    """One retained message: where it hangs, the fact that it tells, and how it tells it."""

    topic: str
    read: Callable[[AsyncConnection], Awaitable[F]]
    compose: Callable[[F], Message]


class Noticeboard:
    """Keeps the broker's notices equal to the database, on this connection and on every later one."""

    def __init__(self, store: Store, *notices: Notice[Any], now: Callable[[], datetime]) -> None:
        self._store = store
        self._notices = notices
        self._now = now
        self._woken = asyncio.Event()
        self._life = 0
        self._told: dict[str, tuple[int, object]] = {}
        self._complained = Seldom(_COMPLAINT_SECONDS, most=16)

    def wake(self) -> None:
        """A fact changed."""
        self._woken.set()

    def link_up(self) -> None:
        """The broker is back, and may have lost what it confirmed."""
        self._life += 1
        self._woken.set()

    async def run(self, bus: Bus) -> None:
        """Announce until cancelled."""
        while True:
            # The timeout is the patrol: what did not get through, and what `homesystem` changed.
            await woken(self._woken, _PATROL_SECONDS)
            self._woken.clear()
            for notice in self._notices if bus.connected else ():
                try:
                    await self._announce(bus, notice)
                except HomeError as error:
                    self._complain(notice.topic, error)

    async def _announce(self, bus: Bus, notice: Notice[Any]) -> None:
        life = self._life
        async with self._store.read() as connection:
            fact = await notice.read(connection)
        if self._told.get(notice.topic) == (life, fact):
            return
        reason = await bus.publish(notice.topic, notice.compose(fact))
        if reason >= 128:
            detail = f"the broker refused it ({reason}); `homesystem rights` brings our rights up to date"
            raise HomeError("broker-unreachable", detail)
        self._told[notice.topic] = (life, fact)

    def _complain(self, topic: str, error: HomeError) -> None:
        """Once a minute per topic and reason: the patrol goes on by the second."""
        key, now = (topic, str(error)), self._now().timestamp()
        if self._complained.is_due(key, now):
            log.warning("Not announced yet", extra=facts(topic=topic, reason=error))
            self._complained.said(key, now)
