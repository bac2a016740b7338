"""The registry of this home: what gateways may read of it, and what a room's description changes in it."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.home import absence, lockdown_rows, pending_rows, registry, room_rows, waiting_rows
from auth_service.home.expected import Expected
from auth_service.home.lockouts import MOST as LOCKOUTS_MOST
from auth_service.home.registry import Loosening, Merged
from auth_service.proof import Happened, Proof
from shared.keeping.database import Store
from shared.running.seldom import Seldom
from shared.words.internal import RegisteredRoom, Registry, RoomSeen
from shared.words.messages import Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

LOOSENING_SECONDS = 3600.0
"""A room that changes its mind again and again is told of this seldom, or it would drown the other letters."""
_LOOSENINGS = 4096
CHANGES = 12
CHANGES_TIME = timedelta(hours=1)
"""Of what one room has: each is in the record and in the broker's file, and whoever edits a room's file makes a few."""


class Give(Protocol):
    """Lets a room speak at the broker of these devices of its own, and of no others."""

    async def __call__(self, room: str, devices: tuple[str, ...]) -> None:
        """May be repeated. Raises HomeError where the signer refuses, or it or the broker is away."""


class Rooms:
    """Reads and merges. Several gateways may tell of the same description at once.

    `wake` has the noticeboard look: what was away for too long comes back locked out.
    """

    def __init__(
        self,
        store: Store,
        proof: Proof,
        give: Give,
        *,
        now: Callable[[], datetime],
        wake: Callable[[], None] = lambda: None,
        expected: Expected | None = None,
    ) -> None:
        self._expected = expected or Expected()
        self._wake = wake
        self._store = store
        self._proof = proof
        self._give = give
        self._now = now
        self._told = Seldom(LOOSENING_SECONDS, most=_LOOSENINGS)
        self._given: dict[str, frozenset[str]] = {}
        self._changes: dict[str, deque[datetime]] = {}

    async def registry(self) -> Registry:
        """Every room that is enrolled and not revoked, and whether the home is locked down."""
        async with self._store.read() as connection:
            return Registry(
                rooms=await room_rows.all_enrolled(connection),
                lockdown=await lockdown_rows.read(connection),
                pending=tuple(one.wish for one in await pending_rows.everything(connection)),
                waiting=len({(one.room, one.loosening.device) for one in await waiting_rows.everything(connection)}),
            )

    async def seen(self, room: str, seen: RoomSeen, issuer: str) -> RegisteredRoom:
        """Merge a description as heard by the gateway `issuer`; the room that now stands.

        Its rights go first, each time: a device that is offered can be answered for, and what an interruption left
        undone, or an older version gave too freely, is put right.

        Raises HomeError: not-found for a room that is not enrolled or was revoked, invalid-value, and what `give` says,
        after which nothing is changed. rate-limited for a room that has other devices again and again.
        """
        named_now = frozenset(device.id for device in seen.devices)
        async with self._store.read() as connection:
            found = await self._merge(connection, room, seen)
        await self._let_speak(room, tuple(device.id for device in seen.devices))
        if found.nothing_new and not absence.to_note(found.named, named_now - found.late, self._now()):
            return found.known  # as on every reconnect but the first of a day
        async with self._store.write() as connection:
            found = await self._merge(connection, room, seen, lock=True)
            merged = await self._agreed(found.merged)
            await self._tell(found.known, found.waiting, merged, issuer)
            await room_rows.save(connection, found.known, merged.room)
            await waiting_rows.replace(connection, room, merged.waiting, self._now())
            await self._lock_out(connection, found)
            noted = absence.to_note(found.named, named_now - found.late, self._now())
            await room_rows.note_named(connection, room, noted, self._now())
        if merged.returned:
            self._wake()
        return merged.room

    async def _merge(self, connection: AsyncConnection, room: str, seen: RoomSeen, *, lock: bool = False) -> "_Found":
        known = _enrolled(await room_rows.find(connection, room, lock=lock))
        named = await room_rows.named(connection, room)
        merged = registry.merge(known, seen, absence.too_long(named, self._now()))
        refused = await waiting_rows.refused(connection, room)
        agreed = self._expected.agreed(room, merged.waiting, self._now())
        wanted_now = agreed[1] if agreed is not None else ()  # a later word of theirs than their no
        asked = tuple(one for one in merged.waiting if one not in refused or one in wanted_now)
        waiting = await waiting_rows.of_room(connection, room)
        return _Found(known, named, waiting, msgspec.structs.replace(merged, waiting=asked))

    async def _lock_out(self, connection: AsyncConnection, found: "_Found") -> None:
        """What comes back after too long a time obeys what is safe alone; raises invalid-value where that cannot be."""
        before = {device.id for device in found.known.devices if device.locked_out}
        newly = found.late - before
        if newly and len(await room_rows.all_locked_out(connection)) + len(newly) > LOCKOUTS_MOST:
            raise HomeError("invalid-value", f"A home has {LOCKOUTS_MOST} devices locked out at the most.")
        for device in newly:
            await room_rows.set_lockout(connection, found.known.id, device, locked_out=True)

    async def _agreed(self, merged: Merged) -> Merged:
        """What was set on a page needs no further word: it counts, as theirs who set it."""
        agreed = self._expected.agreed(merged.room.id, merged.waiting, self._now())
        if agreed is None:
            return merged
        by, loosenings = agreed
        room = merged.room
        for one in loosenings:
            room = registry.accept(room, one)
            detail = {one.field: f"{one.stands or '-'} → {one.wanted or '-'}", "because": "set on a page"}
            await self._proof.write(
                "device:loosened", f"{room.id}/{one.device}", by, severity=Severity.CRITICAL, detail=detail
            )
        rest = tuple(one for one in merged.waiting if one not in loosenings)
        return msgspec.structs.replace(merged, room=room, waiting=rest)

    async def _let_speak(self, room: str, devices: tuple[str, ...]) -> None:
        """Raises HomeError("rate-limited") for a room that has other devices again and again: it is told later."""
        now, given = self._now(), self._given.get(room)
        changes = self._changes.setdefault(room, deque())
        while changes and not timedelta(0) <= now - changes[0] < CHANGES_TIME:
            changes.popleft()
        is_change = given is not None and given != frozenset(devices)
        if is_change and len(changes) >= CHANGES:
            raise HomeError("rate-limited", f"Room {room} had other devices {CHANGES} times within an hour.")
        await self._give(room, devices)
        self._given[room] = frozenset(devices)
        if is_change:
            changes.append(now)

    async def _tell(self, known: RegisteredRoom, waiting: tuple[Loosening, ...], merged: Merged, issuer: str) -> None:
        who, before = Who(issuer=issuer), {device.id: device for device in known.devices}
        news: list[Happened] = []
        for device in merged.room.devices:
            old, where = before.get(device.id), f"{known.id}/{device.id}"
            detail = {"kind": device.kind.value, "critical": str(device.critical), "confirm": str(device.confirm)}
            if old is None:
                news.append(Happened("device:added", where, detail))
            elif (old.critical, old.confirm) != (device.critical, device.confirm):
                news.append(Happened("device:tightened", where, detail))
        await self._proof.write_together(news, who)
        for loosening in set(merged.waiting) - set(waiting):
            # Somebody changed the room's configuration, or the room: the master user shall know either way.
            wish, now = (known.id, loosening.device, loosening.field, loosening.wanted), self._now().timestamp()
            if not self._told.is_due(wish, now):
                continue
            await self._proof.write(
                "device:loosening",
                f"{known.id}/{loosening.device}",
                who,
                severity=Severity.SECURITY,
                outcome=Outcome.REJECTED,
                detail={"field": loosening.field, "stands": loosening.stands, "wanted": loosening.wanted},
            )
            self._told.said(wish, now)


class _Found(NamedTuple):
    """What stood, when each device was named last, what waited, and what comes of it all."""

    known: RegisteredRoom
    named: dict[str, datetime | None]
    waiting: tuple[Loosening, ...]
    merged: Merged

    @property
    def nothing_new(self) -> bool:
        return self.merged.room == self.known and self.merged.waiting == self.waiting

    @property
    def late(self) -> frozenset[str]:
        """Devices that were away for too long, and that the master user has not taken back yet."""
        return frozenset(self.merged.returned)


def _enrolled(room: RegisteredRoom | None) -> RegisteredRoom:
    if room is None:
        raise HomeError("not-found", "There is no such room, or it was revoked.")
    return room
