"""What rooms would loosen, and the master user's word about it: about exactly what was shown, with its proof."""

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from auth_service.account import telling
from auth_service.home import registry, room_rows, waiting_rows
from auth_service.home.absence import RETURN
from auth_service.home.registry import Loosening
from auth_service.people import masters
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.words.internal import RegisteredRoom
from shared.words.internal_waiting import WaitingDecision, WaitingDevice, WaitingDevices, WouldChange
from shared.words.problem import HomeError

LOOSENED = "device:loosened"
KEPT_STRICT = "device:kept-strict"


class Waiting:
    """Reads what waits and decides about it. `wake` has the noticeboard look."""

    def __init__(self, store: Store, proof: Proof, *, now: Callable[[], datetime], wake: Callable[[], None]) -> None:
        self._store = store
        self._proof = proof
        self._now = now
        self._wake = wake

    async def everything(self) -> WaitingDevices:
        """Each device of which something waits, by room and id."""
        async with self._store.read() as connection:
            rooms = {room.id: room for room in await room_rows.all_enrolled(connection)}
            rows = await waiting_rows.everything(connection)
        found: dict[tuple[str, str], list[waiting_rows.Waits]] = {}
        for row in rows:
            found.setdefault((row.room, row.loosening.device), []).append(row)
        return WaitingDevices(waiting=tuple(_told(rooms[room], device, many) for (room, device), many in found.items()))

    async def decide(self, room: str, device: str, wanted: WaitingDecision, issuer: str) -> RegisteredRoom:
        """Loosen it, or leave it as it is for good, as heard by the gateway `issuer`; the room that now stands.

        Raises HomeError: forbidden (not by an enabled master user), not-found (nothing waits), changed-meanwhile (it is
        something else that waits now), no-proof.
        """
        async with self._store.read() as connection:
            by = await masters.known(connection, wanted.by, _masters_only)
        who = telling.by(by, wanted.address, issuer)
        async with telling.change(self._store, self._proof, who) as (connection, say):
            await masters.held(connection, wanted.by, _masters_only)
            known = await room_rows.find(connection, room, lock=True)
            waiting = await waiting_rows.of_room(connection, room)
            theirs = tuple(one for one in waiting if one.device == device)
            if known is None or not theirs:
                raise HomeError("not-found", "Nothing waits for your word there.")
            if digest(known, device, theirs) != wanted.digest:
                raise HomeError("changed-meanwhile")
            rest = tuple(one for one in waiting if one.device != device)
            detail = {one.field: f"{one.stands or '-'} → {one.wanted or '-'}" for one in theirs}
            if wanted.decision == "refuse":
                await waiting_rows.refuse(connection, room, theirs, self._now())
                await waiting_rows.replace(connection, room, rest, self._now())
                await say(KEPT_STRICT, f"{room}/{device}", **detail)
                return known
            after = known
            for one in theirs:
                after = registry.accept(after, one)
            await room_rows.save(connection, known, after)
            if any(one.field == RETURN for one in theirs):
                await room_rows.set_lockout(connection, room, device, locked_out=False)
            await waiting_rows.replace(connection, room, rest, self._now())
            await say(LOOSENED, f"{room}/{device}", **detail)
        self._wake()
        return after


def digest(room: RegisteredRoom, device: str, loosenings: Iterable[Loosening]) -> str:
    """A name for exactly what was shown, in 32 hexadecimal digits.

    What room and device call themselves belongs to it: a room may give its front door the name of a lamp.
    """
    written = msgspec.json.encode([room.id, room.name, device, _name(room, device), sorted(loosenings)])
    return hashlib.sha256(written).hexdigest()[:32]


def _name(room: RegisteredRoom, device: str) -> str:
    return next((one.name for one in room.devices if one.id == device), device)


def _told(room: RegisteredRoom, device: str, rows: list[waiting_rows.Waits]) -> WaitingDevice:
    loosenings = [row.loosening for row in rows]
    return WaitingDevice(
        room=room.id,
        device=device,
        room_name=room.look.name or room.name,
        name=next((one.look.name for one in room.devices if one.id == device), None) or _name(room, device),
        since=min(row.since for row in rows),
        changes=tuple(WouldChange(field=one.field, stands=one.stands, wanted=one.wanted) for one in loosenings),
        digest=digest(room, device, loosenings),
    )


def _masters_only() -> HomeError:
    return HomeError("forbidden", "Only the master user decides what a room may loosen.")
