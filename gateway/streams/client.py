"""One open stream: what waits for it, in order, bounded, and at its end at once."""

import asyncio
import collections
import logging
from typing import Final

from gateway.picture import guards
from gateway.streams.event import Event, Interest
from shared.running.log import facts
from shared.words.internal import SessionInfo

log = logging.getLogger(__name__)

QUEUED: Final = 256
TOGETHER: Final = 16
"""So many of what waits go out in one write."""


class Client:
    """One open stream and what waits for it."""

    __slots__ = (
        "beating",
        "ended",
        "follows",
        "interest",
        "queue",
        "sees_all",
        "session_id",
        "some",
        "sums",
        "transport",
        "user_id",
        "whose",
    )

    def __init__(self, info: SessionInfo, transport: asyncio.Transport | None, interest: Interest) -> None:
        self.interest = interest
        self.follows = interest.record and guards.may_hear_of_records(info)
        self.sees_all = guards.sees_all(info)
        self.session_id = info.id
        self.user_id = info.user.id
        self.whose = info.user.id if info.token is None else f"token:{info.id}"
        self.transport = transport
        self.queue: collections.deque[Event] = collections.deque()
        self.some = asyncio.Event()
        self.sums: dict[str | None, str] = {}
        self.ended = False
        self.beating: asyncio.TimerHandle

    def offer(self, event: Event) -> None:
        """Queue an event, if it is of interest; a client that is too far behind is cut."""
        if self.ended or not self.interest.covers(event):
            return
        if len(self.queue) >= QUEUED:
            log.warning("Slow event stream cut", extra=facts(session=self.session_id))
            self.end()
            if self.transport is not None:
                self.transport.abort()  # its writer may be stuck: nothing gentler would reach it
            return
        self.queue.append(event)
        self.some.set()

    def is_news(self, room: str | None, body: str) -> bool:
        """Whether this sum of the room is another one than it was told last; it counts as told."""
        before, self.sums[room] = self.sums.get(room), body
        return body != before

    def end(self) -> None:
        """Close the stream; what is queued is not sent."""
        self.ended = True
        self.queue.clear()
        self.some.set()

    async def next(self) -> list[Event]:
        """The next events, in their order: those that wait, up to `TOGETHER`; none when the stream is over."""
        while not self.queue and not self.ended:
            self.some.clear()
            await self.some.wait()
        return [self.queue.popleft() for _ in range(min(TOGETHER, len(self.queue)))]
