"""The registry of this home: what gateways may read of it, and what a room's description changes in it."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from auth_service.home import lockdown_rows, registry, room_rows
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
    """Reads and merges. Several gateways may tell of the same description at once."""

    def __init__(self, store: Store, proof: Proof, give: Give, *, now: Callable[[], datetime]) -> None:
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
                rooms=await room_rows.all_enrolled(connection), lockdown=await lockdown_rows.read(connection)
            )

    async def seen(self, room: str, seen: RoomSeen, issuer: str) -> RegisteredRoom:
        """Merge a description as heard by the gateway `issuer`; the room that now stands.

        Its rights go first, each time: a device that is offered can be answered for, and what an interruption left
        undone, or an older version gave too freely, is put right.

        Raises HomeError: not-found for a room that is not enrolled or was revoked, invalid-value, and what `give` says,
        after which nothing is changed. rate-limited for a room that has other devices again and again.
        """
        async with self._store.read() as connection:
            known = _enrolled(await room_rows.find(connection, room))
            waiting = await room_rows.waiting(connection, room)
        merged = registry.merge(known, seen)
        await self._let_speak(room, tuple(device.id for device in seen.devices))
        if merged.room == known and merged.waiting == waiting:
            return known  # as on every reconnect but the first
        async with self._store.write() as connection:
            known = _enrolled(await room_rows.find(connection, room, lock=True))
            waiting = await room_rows.waiting(connection, room)
            merged = registry.merge(known, seen)
            await self._tell(known, waiting, merged, issuer)
            await room_rows.save(connection, known, merged.room)
            await room_rows.replace_waiting(connection, room, merged.waiting, self._now())
        return merged.room

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


def _enrolled(room: RegisteredRoom | None) -> RegisteredRoom:
    if room is None:
        raise HomeError("not-found", "There is no such room, or it was revoked.")
    return room
