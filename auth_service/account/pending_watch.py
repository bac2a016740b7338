"""What ends a pending wish before it came about: its time, another right, device or session, a lockdown, a restart."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.home import lockdown_rows, pending_rows, pending_rules, room_rows
from auth_service.home.pending_rows import Standing
from auth_service.home.pending_rules import Ended
from auth_service.people import changed_rights, user_rows
from auth_service.proof import Proof
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.running.log import facts
from shared.words.messages import Who
from shared.words.names import Severity
from shared.words.pending import PendingWish
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_PATROL_SECONDS = 1.0
_SET_SECONDS = 2.0
"""A wall clock that moves by so much against the one that nobody sets was set."""


class PendingWatch:
    """Looks after what is pending. `wake` tells the gateways at once; `issuer` is what this service is called."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        proof: Proof,
        *,
        now: Callable[[], datetime],
        wake: Callable[[], None],
        steady: Callable[[], float] = time.monotonic,
        issuer: str = "auth",
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._proof = proof
        self._now = now
        self._wake = wake
        self._steady = steady
        self._issuer = issuer
        self._begins = asyncio.Lock()
        self._has_begun = False
        self._put_up = asyncio.Event()
        self._ahead = self._wall_ahead()

    def put_up(self) -> None:
        """Something is pending."""
        self._put_up.set()

    async def drop_all(self, why: Ended) -> None:
        """Nothing that was pending comes about."""
        async with self._store.read() as connection:
            standing = await pending_rows.everything(connection)
        await self._drop([(one, _under_way(one) or why) for one in standing])

    async def sweep(self, *, local: datetime | None = None) -> bool:
        """Drop what may not come about any more; whether anything was pending.

        `local`, the moment in the home's zone, judges guests' hours, too.
        """
        async with self._begins:
            if not self._has_begun:
                await self.drop_all("hub-restarted")  # what a former life of this service had pending
                self._has_begun = True
        before, self._ahead = self._ahead, self._wall_ahead()
        async with self._store.read() as connection:
            standing = await pending_rows.everything(connection)
            if abs(self._ahead - before) > _SET_SECONDS:
                # By the clock on the wall it would come about earlier or later than everybody was told.
                over: list[tuple[Standing, Ended]] = [(one, _under_way(one) or "clock") for one in standing]
            else:
                whys = [(one, await self.why_over(connection, one, local)) for one in standing]
                over = [(one, why) for one, why in whys if why is not None]
        await self._drop(over)
        return bool(standing)

    async def run(self) -> None:
        """Look after what is pending until cancelled; while nothing is, wait for the next press."""
        while True:
            self._put_up.clear()
            is_pending = True
            try:
                is_pending = await self.sweep()
            except HomeError as error:
                log.warning("Pending wishes not looked after", extra=facts(reason=error))
            await (asyncio.sleep(_PATROL_SECONDS) if is_pending else self._put_up.wait())

    async def why_over(self, connection: AsyncConnection, standing: Standing, local: datetime | None) -> Ended | None:
        """Why it must not come about any more; None while it may."""
        wish = standing.wish
        known = await room_rows.find(connection, wish.room)
        devices = known.devices if known is not None else ()
        session = standing.session_id
        return pending_rules.why_over(
            standing,
            next((one for one in devices if one.id == wish.device), None),
            await user_rows.row_of(connection, wish.by.id),
            locked_down=(await lockdown_rows.read(connection)).active,
            now=self._now(),
            local=local,
            in_session=session is not None and await self._sessions.goes_on(connection, session),
        )

    async def _drop(self, over: list[tuple[Standing, Ended]]) -> None:
        gone: list[tuple[PendingWish, Ended]] = []
        if not over:
            return
        async with self._store.write() as connection:
            for standing, why in over:
                if await pending_rows.take(connection, standing.wish):
                    gone.append((standing.wish, why))
            if gone:
                await changed_rights.note_registry(connection)
        for wish, why in gone:
            await self.tell_dropped(wish, why)
        if gone:
            self._wake()

    async def tell_dropped(self, wish: PendingWish, why: str) -> None:
        """Record that nothing comes of it; of an appointment, which others wait for, with a letter.

        It is gone, which is the safer state: a full disk does not turn that into an error.
        """
        where, who = f"{wish.room}/{wish.device}", Who(issuer=self._issuer)
        detail = told(wish, of=True) | {"reason": why}
        if wish.due is None:
            await self._proof.note("device:wish-dropped", where, who, **detail)
        else:
            what = "device:appointment-unknown" if why == "gateway-lost" else "device:appointment-dropped"
            await self._proof.note(what, where, who, Severity.CRITICAL, **detail)

    def _wall_ahead(self) -> float:
        return self._now().timestamp() - self._steady()


def told(wish: PendingWish, *, of: bool) -> dict[str, Any]:
    """An event's detail; `of` names whose wish it is, where somebody else is the one who acts."""
    detail = {"action": wish.action.value}
    if wish.value is not None:
        detail["value"] = str(wish.value)
    if wish.due is not None:
        detail["due"] = wish.due.isoformat()
    return detail | ({"user": wish.by.name, "partner": wish.by.id} if of else {})


def _under_way(standing: Standing) -> Ended | None:
    """What was given to a gateway may have been carried out."""
    return None if standing.given_at is None else "gateway-lost"
