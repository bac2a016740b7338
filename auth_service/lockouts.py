"""Lock-outs: what the master user will not have switched, kept in the registry and told to every room.

Rooms and gateways learn of them from one retained list. Nothing on the broker is the truth: the registry is, and the
list is published again whenever it may differ.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service import room_rows, user_rows
from auth_service.proof import Proof
from shared import messages, topics
from shared.bus import Bus
from shared.database import Store
from shared.internal import LockoutChange, RegisteredDevice, RegisteredRoom
from shared.log import facts
from shared.messages import UserRef, Who
from shared.names import ACTIONS, Outcome, Role, Severity
from shared.problem import HomeError
from shared.seldom import Seldom

log = logging.getLogger(__name__)

MOST = 800
"""Of one home: the whole list must fit into one message (64 KiB), or no room would hear any of it."""
_PATROL_SECONDS = 1.0
_COMPLAINT_SECONDS = 60.0


class Lockouts:
    """Changes lock-outs, each with its proof. `wake` makes the announcer go."""

    def __init__(self, store: Store, proof: Proof, *, wake: Callable[[], None]) -> None:
        self._store = store
        self._proof = proof
        self._wake = wake

    async def change(self, room: str, device: str, wanted: LockoutChange, issuer: str) -> RegisteredRoom:
        """Lock a device out or lift that, as heard by the gateway `issuer`; the room that now stands.

        What stands already is changed and recorded no second time. Raises HomeError: forbidden (not by an enabled
        master user), unknown-device, invalid-value (an input, or too many), no-proof (lifting only).
        """
        said: tuple[str, str, Who] | None = None
        try:
            async with self._store.write() as connection:
                by = await _master(connection, wanted.by)
                known, found = await _registered(connection, room, device)
                if found.locked_out == wanted.locked_out:
                    return known
                if wanted.locked_out:
                    await _check(connection, found)
                what = "device:locked-out" if wanted.locked_out else "device:lockout-lifted"
                said = (what, f"{room}/{device}", Who(issuer=issuer, user=by, address=wanted.address or None))
                # Locking out is the safer thing, and a full disk must not keep the owner from it: where its proof
                # cannot be written, it is owed and written as soon as it can be. Lifting has its proof first.
                write = self._proof.write_or_owe if wanted.locked_out else self._proof.write
                await write(*said, severity=Severity.CRITICAL)
                await room_rows.set_lockout(connection, room, device, locked_out=wanted.locked_out)
                known, _ = await _registered(connection, room, device)
        except BaseException:
            if said is not None:  # it was said, and then it did not happen
                await self._proof.write_or_owe(*said, severity=Severity.CRITICAL, outcome=Outcome.FAILED)
            raise
        self._wake()
        return known


class LockoutAnnouncer:
    """Keeps the retained list at the broker equal to the registry, on this connection and on every later one."""

    def __init__(self, store: Store, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._woken = asyncio.Event()
        self._life = 0
        self._told: tuple[int, tuple[str, ...]] | None = None
        self._complained = Seldom(_COMPLAINT_SECONDS, most=16)

    def wake(self) -> None:
        """A lock-out changed."""
        self._woken.set()

    def link_up(self) -> None:
        """The broker is back, and may have lost what it confirmed."""
        self._life += 1
        self._woken.set()

    async def run(self, bus: Bus) -> None:
        """Announce until cancelled."""
        while True:
            # The timeout is the patrol: what did not get through, and rooms that `homesystem` revoked. Not wait_for,
            # which may lose a cancellation (3.11).
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PATROL_SECONDS):
                    await self._woken.wait()
            self._woken.clear()
            if bus.connected:
                try:
                    await self._announce(bus)
                except HomeError as error:
                    self._complain(error)

    async def _announce(self, bus: Bus) -> None:
        life = self._life
        async with self._store.read() as connection:
            devices = await room_rows.all_locked_out(connection)
        if self._told == (life, devices):
            return
        reason = await bus.publish(topics.LOCKOUTS, messages.Lockouts(devices=devices, at=self._now()))
        if reason >= 128:
            detail = f"the broker refused the list ({reason}); `homesystem rights` brings our rights up to date"
            raise HomeError("broker-unreachable", detail)
        self._told = (life, devices)

    def _complain(self, error: HomeError) -> None:
        """Once a minute per reason: the patrol goes on by the second."""
        now = self._now().timestamp()
        if self._complained.is_due(str(error), now):
            log.warning("Lock-outs not announced yet", extra=facts(reason=error))
            self._complained.said(str(error), now)


async def _master(connection: AsyncConnection, user_id: str) -> UserRef:
    """The master user who asks: the gateway has looked, and so do we."""
    user = await user_rows.enabled(connection, user_id)
    if user is None or user.role is not Role.MASTER:
        raise HomeError("forbidden", "Only a master user locks a device out or lifts that.")
    return UserRef(id=user.id, name=user.name)


async def _check(connection: AsyncConnection, found: RegisteredDevice) -> None:
    """Whether one more device may be locked out. Raises invalid-value."""
    if found.kind not in ACTIONS:
        raise HomeError("invalid-value", "An input does nothing that could be locked out; lock out what it moves.")
    if len(await room_rows.all_locked_out(connection)) >= MOST:
        raise HomeError("invalid-value", f"A home has {MOST} devices locked out at the most.")


async def _registered(connection: AsyncConnection, room: str, device: str) -> tuple[RegisteredRoom, RegisteredDevice]:
    known = await room_rows.find(connection, room, lock=True)
    for found in known.devices if known is not None else ():
        if known is not None and found.id == device:
            return known, found
    raise HomeError("unknown-device")
