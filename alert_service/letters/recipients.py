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
_MOVED = frozenset({"account:created", "account:enabled", "account:email-changed", "account:role-changed"})
"""After these a letter may be for another address, or for other people: whoever is new would miss it. They are told
before they are committed; the auth service answers to the question after that (answers/reading.py).
"""


class Recipients:
    """Keeps them fresh; `changed` is called after each answer, or where there is none, and `named` is told what the
    master user calls rooms and devices.

    Of somebody who is new, or has another address or role now, it asks before the next letter leaves: it may not be
    for whom it would have been. Until then it is not `settled`, whatever else wakes those who carry letters.
    """

    def __init__(
        self,
        auth: ServiceClient,
        store: Store,
        *,
        changed: Callable[[], None],
        named: Callable[[Mapping[str, str]], None],
        now: Callable[[], float],
    ) -> None:
        self._auth = auth
        self._store = store
        self._changed = changed
        self._named = named
        self._now = now
        self.settled = False
        """Whether letters go to where people are now, as far as the auth service could be asked."""
        self._moved = False
        self._asking = asyncio.Lock()
        self._woken = asyncio.Event()

    def noticing(self, follow: Follow) -> Follow:
        """`follow`, noticing meanwhile what may change whom letters go to."""

        async def noticed(connection: AsyncConnection, fresh: Sequence[Row], now: float) -> bool:
            if any(row.source == "auth" and row.event.what in _MOVED for row in fresh):
                self._moved, self.settled = True, False
                self._woken.set()  # also where no letter tells of that itself: the next one waits for the answer
            return await follow(connection, fresh, now)

        return noticed

    async def run(self) -> None:
        """Ask every minute, sooner while there was no answer, until cancelled."""
        attempt = 0
        while True:
            leave_if_stopped()
            self._moved = False
            self._woken.clear()
            try:
                await self.refresh()
                attempt = 0
                wait = REFRESH_SECONDS
            except HomeError as error:  # what waited for the answer leaves all the same
                log.warning("Recipients are not known anew", extra=facts(reason=error, attempt=attempt))
                wait = backoff.delay(attempt, first=0.5, most=30.0)
                attempt += 1
            self.settled = not self._moved
            self._changed()
            leave_if_stopped()
            await woken(self._woken, wait)

    async def refresh(self) -> None:
        """Ask now. Raises HomeError where there is no answer."""
        async with self._asking:  # an older answer never comes after a newer one
            await self._ask()

    async def _ask(self) -> None:
        answer = await self._auth.call("GET", internal_recipients.RECIPIENTS, internal_recipients.Recipients)
        self._named(answer.names)
        if not any(one.master for one in answer.people):
            log.warning("Auth service names nobody to write to")
            return
        async with self._store.write() as connection:
            await mailbox.set_people(connection, answer.people, self._now())
