"""Lock-outs: what the master user will not have switched, kept in the registry and told to every room.

Rooms and gateways learn of them from one retained list, which notices.py keeps equal to the registry.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.home import room_rows
from auth_service.home.notices import Notice
from auth_service.people import masters
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.words import messages, topics
from shared.words.internal import LockoutChange, RegisteredDevice, RegisteredRoom
from shared.words.messages import UserRef, Who
from shared.words.names import ACTIONS, Outcome, Severity
from shared.words.problem import HomeError

MOST = 800
"""Of one home: the whole list must fit into one message (64 KiB), or no room would hear any of it."""


class Lockouts:
    """Changes lock-outs, each with its proof. `wake` has the noticeboard look."""

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
                by = await masters.held(connection, wanted.by, _masters_only)
                known, found = await room_rows.registered(connection, room, device)
                if found.locked_out == wanted.locked_out:
                    return known
                if wanted.locked_out:
                    await _check(connection, found)
                what = "device:locked-out" if wanted.locked_out else "device:lockout-lifted"
                said = (
                    what,
                    f"{room}/{device}",
                    Who(issuer=issuer, user=UserRef(id=by.id, name=by.name), address=wanted.address or None),
                )
                # Locking out is the safer thing, and a full disk must not keep the owner from it: where its proof
                # cannot be written, it is owed and written as soon as it can be. Lifting has its proof first.
                write = self._proof.write_or_owe if wanted.locked_out else self._proof.write
                await write(*said, severity=Severity.CRITICAL)
                await room_rows.set_lockout(connection, room, device, locked_out=wanted.locked_out)
                known, _ = await room_rows.registered(connection, room, device)
        except BaseException:
            if said is not None:  # it was said, and then it did not happen
                await self._proof.write_or_owe(*said, severity=Severity.CRITICAL, outcome=Outcome.FAILED)
            raise
        self._wake()
        return known


def notice(now: Callable[[], datetime]) -> Notice[tuple[str, ...]]:
    """The whole list, for the noticeboard."""

    def told(devices: tuple[str, ...]) -> messages.Lockouts:
        return messages.Lockouts(devices=devices, at=now())

    return Notice(topics.LOCKOUTS, room_rows.all_locked_out, told)


async def _check(connection: AsyncConnection, found: RegisteredDevice) -> None:
    """Whether one more device may be locked out. Raises invalid-value."""
    if found.kind not in ACTIONS:
        raise HomeError("invalid-value", "An input does nothing that could be locked out; lock out what it moves.")
    if len(await room_rows.all_locked_out(connection)) >= MOST:
        raise HomeError("invalid-value", f"A home has {MOST} devices locked out at the most.")


def _masters_only() -> HomeError:
    return HomeError("forbidden", "Only a master user locks a device out or lifts that.")
