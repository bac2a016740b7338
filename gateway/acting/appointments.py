"""Appointments whose time comes: asked for from the auth service, which gives each to one gateway, and carried out.

Until then anybody who may use the device can veto it (desk/taking_back.py). What cannot go within the seconds that a
command may take is dropped there, and told.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from gateway.acting.wish import Wish
from gateway.picture.home import Home
from shared.running.log import facts
from shared.words.pending import PendingWish
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 0.5
"""From one look at what is due to the next: the auth service may be away, or its clock a moment behind."""


class Giver(Protocol):
    """What is needed of gateway.inside.registry.Registrar."""

    async def came_due(self, wish: PendingWish, local: datetime) -> PendingWish:
        """It, to carry out, or a HomeError."""

    async def went(self, wish: PendingWish, reason: str | None) -> None:
        """It is over."""


class Doer(Protocol):
    """What is needed of gateway.acting.commands.Commands."""

    async def execute(self, wish: Wish) -> object:
        """Have it carried out, or a HomeError."""

    def away(self, room: str) -> str | None:
        """Why nothing can be sent to a room, as a problem."""


class Appointments:
    """Carries them out. `local` is the moment in the home's zone, by which guests' hours are judged."""

    def __init__(
        self,
        home: Home,
        commands: Doer,
        giver: Giver,
        *,
        local: Callable[[], datetime],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._home = home
        self._commands = commands
        self._giver = giver
        self._local = local
        self._wall = wall
        self._some = asyncio.Event()
        self._going: dict[str, asyncio.Task[None]] = {}

    def look(self) -> None:
        """What is pending may be another."""
        if self._home.pending.appointments():
            self._some.set()

    async def run(self) -> None:
        """Carry out what comes due until cancelled; what has begun is then left to its command."""
        try:
            while True:
                await self._some.wait()
                self._some.clear()
                while waiting := self._home.pending.appointments():
                    for wish in waiting:
                        self._go_if_due(wish)
                    await asyncio.sleep(_AGAIN_SECONDS)
        finally:
            for going in self._going.values():
                going.cancel()

    def _go_if_due(self, wish: PendingWish) -> None:
        assert wish.due is not None
        is_time = wish.due.timestamp() <= self._wall() < wish.until.timestamp()
        if not is_time or wish.id in self._going or self._home.status(wish.room) != "online":
            return  # of a room that is away another gateway may know better, or it is back in a moment
        task = asyncio.create_task(self._go(wish), name="appointment")
        self._going[wish.id] = task
        task.add_done_callback(lambda _: self._going.pop(wish.id, None))

    async def _go(self, wish: PendingWish) -> None:
        try:
            given = await self._giver.came_due(wish, self._local())
        except HomeError as error:
            log.info("Appointment is not ours", extra=facts(room=wish.room, device=wish.device, reason=error))
            return
        reason = await self._carry_out(given)
        try:
            await self._giver.went(given, reason)
        except HomeError as error:
            # The auth service finds out by itself that we never said so, and tells that nobody knows.
            log.warning("Not told how an appointment went", extra=facts(room=given.room, reason=error))

    async def _carry_out(self, given: PendingWish) -> str | None:
        """Why nothing was sent to its room; None where something was, of which the command's own record tells."""
        device = self._home.device(given.room, given.device)
        if device is None or given.due is None:
            return "unknown-device"
        if (away := self._commands.away(given.room)) is not None:
            return away
        wish = Wish(
            id=given.id,
            user=given.by,
            device=device,
            action=given.action,
            value=given.value,
            origin="",
            issued_at=given.due.timestamp(),
            due=given.due,
        )
        try:
            await self._commands.execute(wish)
        except HomeError as error:
            return None if device.critical or "outcome" in error.facts else error.slug
        return None
