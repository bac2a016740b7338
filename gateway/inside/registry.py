"""Keeps the home's registry true: fetches it from the auth service and tells it what rooms say of themselves.

While the auth service is away the last registry stands, and what is to be told waits.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from gateway.inside.auth_client import AuthClient
from gateway.picture.changes import Change
from gateway.picture.home import Home
from shared.running import backoff
from shared.running.log import facts
from shared.running.waiting import woken
from shared.words.internal import LockdownChange, LockdownState, LockoutChange, RoomSeen
from shared.words.internal_looks import LookChange
from shared.words.internal_proofs import ConfirmByChange
from shared.words.internal_waiting import WaitingDecision
from shared.words.messages import Description
from shared.words.pending import CameDue, PendingWish, Press, Pressed, Went
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

REFRESH_SECONDS = 30.0
TELL_AGAIN_SECONDS = 20 * 3600.0
"""What a room says is told so often at least, whatever it is: devices that are named are not away."""
_AWAY = frozenset({"auth-unreachable", "internal", "signer-unreachable", "broker-unreachable"})
"""What is told again later: the auth service, or what it needs to let a room speak of its devices, is away."""


class Registrar:
    """Fetches and tells, one call at a time; `apply` is told what changed."""

    def __init__(self, auth: AuthClient, home: Home, *, apply: Callable[[Iterable[Change]], None]) -> None:
        self._auth = auth
        self._home = home
        self._apply = apply
        self._to_tell: dict[str, Description] = {}
        self._told: dict[str, Description] = {}
        self._told_at: dict[str, float] = {}
        self._woken = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._known = False
        self._refresh_at = 0.0

    def seen(self, description: Description) -> None:
        """A room described itself: have the auth service know."""
        if self._told.get(description.room) != description:
            self._to_tell[description.room] = description
            self._woken.set()

    def outdated(self) -> None:
        """The registry is another one now: fetch it without waiting."""
        self._refresh_at = 0.0
        self._woken.set()

    def forget(self, room: str) -> None:
        """A room was revoked."""
        self._to_tell.pop(room, None)
        self._told.pop(room, None)
        self._told_at.pop(room, None)

    async def run(self) -> None:
        """Fetch at once and now and then, and tell what rooms say, until cancelled."""
        attempt = 0
        loop = asyncio.get_running_loop()
        while True:
            try:
                if loop.time() >= self._refresh_at:
                    # Before it is fetched: what becomes outdated meanwhile is due again.
                    self._refresh_at = loop.time() + REFRESH_SECONDS
                    await self.refresh()
                    self._tell_again()
                await self._tell()
                attempt = 0
                wait = self._refresh_at - loop.time()
            except HomeError as error:
                log.warning("Registry cannot be brought up to date", extra=facts(reason=error, attempt=attempt))
                wait = backoff.delay(attempt)
                attempt += 1
                self._refresh_at = 0.0
            await woken(self._woken, max(wait, 0.0))
            self._woken.clear()

    async def refresh(self) -> None:
        """Fetch the registry. Raises HomeError, such as auth-unreachable."""
        async with self._one_at_a_time:
            self._apply(self._home.set_registry(await self._auth.registry()))
            self._known = True

    async def lock_out(self, room: str, device: str, wanted: LockoutChange) -> None:
        """Have the auth service lock a device out, or lift that; stands here at once. Raises HomeError, such as its."""
        async with self._one_at_a_time:
            self._apply(self._home.set_room(await self._auth.lock_out(room, device, wanted)))

    async def confirm_by(self, room: str, device: str, wanted: ConfirmByChange) -> None:
        """Have a device confirmed otherwise; stands here at once. Raises HomeError, such as the auth service's."""
        async with self._one_at_a_time:
            self._apply(self._home.set_room(await self._auth.confirm_by(room, device, wanted)))

    async def press(self, room: str, device: str, wanted: Press) -> Pressed:
        """Have the auth service take a person's press; what is pending then is so here at once. Raises its problems."""
        async with self._one_at_a_time:
            pressed = await self._auth.press(room, device, wanted)
            if pressed.outcome == "pending" and pressed.wish is not None:
                self._apply(self._home.show(self._home.pending.add(pressed.wish)))
            elif pressed.wish is not None:
                self._apply(self._home.show(self._home.pending.drop(room, device, pressed.wish.id)))
        return pressed

    async def came_due(self, wish: PendingWish, local: datetime) -> PendingWish:
        """Have the auth service give us an appointment to carry out, at that moment in the home's zone.

        Raises wish-over where another gateway has it, or nobody is to; and auth-unreachable.
        """
        return await self._auth.came_due(wish, CameDue(local=local))

    async def went(self, wish: PendingWish, reason: str | None) -> None:
        """What we were given is over: it is gone here at once. `reason`: why nothing was sent. Raises HomeError."""
        await self._auth.went(wish, Went(reason=reason))
        async with self._one_at_a_time:
            self._apply(self._home.show(self._home.pending.drop(wish.room, wish.device, wish.id)))

    async def take_back(self, room: str, device: str, wish: str, *, by: str, address: str) -> None:
        """Have the auth service take a wish back; it is gone here at once. Raises its problems."""
        async with self._one_at_a_time:
            await self._auth.take_back(room, device, wish, by=by, address=address)
            self._apply(self._home.show(self._home.pending.drop(room, device, wish)))

    async def change_look(self, path: str, wanted: LookChange[Any], *, room: str = "", device: str = "") -> None:
        """Have the home looked at otherwise; stands here at once. Raises HomeError, such as the auth service's."""
        await self._auth.change_look(path, wanted, room=room, device=device)
        self.outdated()
        try:
            await self.refresh()
        except HomeError as error:  # it is changed all the same, and fetched as soon as that can be done
            log.warning("Registry cannot be brought up to date", extra=facts(reason=error))

    async def decide(self, room: str, device: str, wanted: WaitingDecision) -> None:
        """Have the auth service loosen a device, or leave it as it is; stands here at once. Raises HomeError."""
        async with self._one_at_a_time:
            self._apply(self._home.set_room(await self._auth.decide(room, device, wanted)))
            self._home.waiting = max(0, self._home.waiting - 1)
        self.outdated()

    async def lock_down(self, wanted: LockdownChange) -> LockdownState:
        """Have the auth service begin a lockdown or end it; stands here at once. Raises HomeError, such as its."""
        stands = await self._auth.lock_down(wanted)
        self._apply(self._home.set_lockdown(stands))
        return stands

    async def answers(self) -> bool:
        """Whether the auth service answers now, and gave us its registry once. Raises HomeError where it does not."""
        await self._auth.ping()
        return self._known

    def _tell_again(self) -> None:
        """Rooms that are there and not, or not wholly, in the registry, and those that were told of a day ago."""
        due = asyncio.get_running_loop().time() - TELL_AGAIN_SECONDS
        again = [room for room, at in self._told_at.items() if at <= due and self._home.status(room) == "online"]
        for room in (*self._home.unregistered(), *again):
            if (description := self._home.description(room)) is not None:
                self._to_tell[room] = description

    async def _tell(self) -> None:
        """Tell what waits. Raises HomeError when the auth service is away; what it refuses is logged and left."""
        while self._to_tell:
            room, description = next(iter(self._to_tell.items()))
            async with self._one_at_a_time:
                try:
                    entry = await self._auth.room_seen(
                        room, RoomSeen(name=description.name, devices=description.devices)
                    )
                except HomeError as error:
                    if error.slug in _AWAY:
                        raise
                    log.warning("Room is not in the registry", extra=facts(room=room, reason=error))
                else:
                    self._told[room] = description
                    self._told_at[room] = asyncio.get_running_loop().time()
                    self._apply(self._home.set_room(entry))
            if self._to_tell.get(room) == description:
                del self._to_tell[room]
