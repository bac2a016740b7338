"""Asks the auth service whom letters go to, and remembers its last answer for when it is away."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain.chain import Row
from alert_service.letters import mailbox
from alert_service.record.records import Follow
from shared.door.client import ServiceClient
from shared.keeping.database import Store
from shared.running import backoff
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts
from shared.running.waiting import woken
from shared.words import internal_recipients
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

REFRESH_SECONDS = 60.0
_MOVED = "account:email-changed"
_TRIES, _AGAIN_SECONDS = 20, 0.5
"""The auth service tells of a change before it commits it, so its first answers may still be the former one."""


class Recipients:
    """Keeps them fresh; `changed` is called after each answer, `wake` where letters may leave; `named` is told what the
    master user calls rooms and devices.

    Of somebody who has another address now it asks before the letter about that leaves: it is not for the former one.
    Until there is an answer it is not `settled`, and none should leave, whatever else wakes those who carry them.
    """

    def __init__(
        self,
        auth: ServiceClient,
        store: Store,
        *,
        changed: Callable[[], None],
        wake: Callable[[], None],
        named: Callable[[Mapping[str, str]], None],
        now: Callable[[], float],
    ) -> None:
        self._auth = auth
        self._store = store
        self._changed = changed
        self._wake = wake
        self._named = named
        self._now = now
        self.settled = False
        """Whether letters go to where people are now, as far as the auth service could be asked."""
        self._moved = False
        self._asking = asyncio.Lock()
        self._woken = asyncio.Event()

    def noticing(self, follow: Follow) -> Follow:
        """`follow`, noticing meanwhile whether somebody's address is another one."""

        async def noticed(connection: AsyncConnection, fresh: Sequence[Row], now: float) -> bool:
            if any(row.source == "auth" and row.event.what == _MOVED for row in fresh):
                self._moved, self.settled = True, False
            return await follow(connection, fresh, now)

        return noticed

    def followed(self) -> None:
        """A letter is to tell of what was recorded: now, or when it is known to whom."""
        if self._moved:
            self._woken.set()
        else:
            self._wake()

    async def run(self) -> None:
        """Ask every minute, sooner while there was no answer, until cancelled."""
        attempt = 0
        while True:
            leave_if_stopped()
            moved, self._moved = self._moved, False
            self._woken.clear()
            try:
                for _ in range(_TRIES):
                    if await self.refresh() or not moved:
                        break
                    await asyncio.sleep(_AGAIN_SECONDS)
                self.settled = not self._moved
                self._changed()
                attempt = 0
                wait = REFRESH_SECONDS
            except HomeError as error:
                log.warning("Recipients are not known anew", extra=facts(reason=error, attempt=attempt))
                wait = backoff.delay(attempt, first=0.5, most=30.0)
                attempt += 1
                self.settled = not self._moved
                self._wake()  # what waited for the answer leaves all the same
            leave_if_stopped()
            await woken(self._woken, wait)

    async def refresh(self) -> bool:
        """Ask now; whether the answer is another than before. Raises HomeError where there is none."""
        async with self._asking:  # an older answer never comes after a newer one
            return await self._ask()

    async def _ask(self) -> bool:
        answer = await self._auth.call("GET", internal_recipients.RECIPIENTS, internal_recipients.Recipients)
        self._named(answer.names)
        if not any(one.master for one in answer.people):
            log.warning("Auth service names nobody to write to")
            return False
        async with self._store.write() as connection:
            before = await mailbox.known_people(connection)
            await mailbox.set_people(connection, answer.people, self._now())
        return set(before) != set(answer.people)
