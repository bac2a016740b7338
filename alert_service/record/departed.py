"""Erases from the record whoever the auth service has erased from the accounts: one after the other, each until done.

No event erases anybody, whoever sends it. Once the auth service's own event tells of an erasure, and every minute
besides, it is asked who is no more: it knows that from the transaction in which the account went. It keeps their names
out of its answer and their addresses until it hears that the record has lost them, so that a restart on either side
begins anew where it must and repeats nothing that counts.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain.chain import Row
from alert_service.record import erasing
from alert_service.record.records import Follow
from shared.door.client import ServiceClient
from shared.keeping.database import Store
from shared.running import backoff
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts
from shared.running.waiting import woken
from shared.words import internal_recipients
from shared.words.internal_recipients import Erasure
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

PATROL_SECONDS = 60.0
ERASED = "account:erased"
_TRIES, _AGAIN_SECONDS = 6, 0.5
"""The auth service tells of an erasure before it commits it, so that its first answers may still name nobody."""


class Departed:
    """Sees to it. `refresh` asks anew whom letters go to, so that none is on its way to who is gone; `erased` is called
    while rows lose somebody.
    """

    def __init__(
        self,
        auth: ServiceClient,
        store: Store,
        *,
        refresh: Callable[[], Awaitable[object]],
        erased: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        self._auth = auth
        self._store = store
        self._refresh = refresh
        self._erased = erased
        self._now = now
        self._told = False
        self._woken = asyncio.Event()

    def noticing(self, follow: Follow) -> Follow:
        """`follow`, noticing meanwhile whether somebody's account is said to be gone."""

        async def noticed(connection: AsyncConnection, fresh: Sequence[Row], now: float) -> bool:
            if any(row.source == "auth" and row.event.what == ERASED for row in fresh):
                self._told = True
                self._woken.set()
            return await follow(connection, fresh, now)

        return noticed

    async def run(self) -> None:
        """Ask every minute, sooner where there is news or was no answer, until cancelled."""
        attempt = 0
        while True:
            leave_if_stopped()
            told, self._told = self._told, False
            self._woken.clear()
            try:
                for _ in range(_TRIES if told else 1):
                    if await self.settle():
                        break
                    if told:
                        await asyncio.sleep(_AGAIN_SECONDS)
                attempt = 0
                wait = PATROL_SECONDS
            except HomeError as error:
                log.warning("Nobody can be erased from the record yet", extra=facts(reason=error, attempt=attempt))
                wait = backoff.delay(attempt, first=1.0, most=PATROL_SECONDS)
                attempt += 1
            leave_if_stopped()
            await woken(self._woken, wait)

    async def settle(self) -> bool:
        """Erase whoever is to be erased; whether there was somebody.

        Raises HomeError where the auth service cannot be asked, or the record of one of them cannot be written; the
        others are erased all the same.
        """
        answer = await self._auth.call("GET", internal_recipients.ERASURES, internal_recipients.Erasures)
        if not answer.people:
            return False
        await self._refresh()
        failed: HomeError | None = None
        for person in answer.people:
            try:
                await self._erase(person)
            except HomeError as error:
                failed = error
        if failed is not None:
            raise failed
        return True

    async def _erase(self, person: Erasure) -> None:
        rows = await erasing.erase(
            self._store, user_id=person.id, emails=person.emails, now=self._now(), told=lambda _: self._erased()
        )
        path = internal_recipients.ERASED.format(user=person.id)
        await self._auth.call("DELETE", path, type(None))
        log.info("Somebody is erased from the record", extra=facts(rows=rows))
