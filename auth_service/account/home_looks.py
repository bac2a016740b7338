"""How everybody looks at the home, changed by a master user: names, icons, order and hiding, each with its event.

None of it permits or forbids anything, so it asks for no proof of oneself, and its events are ordinary ones.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import telling
from auth_service.home import look_rows, moves, room_rows
from auth_service.home.moves import no_device, no_room
from auth_service.home.naming import checked_name
from auth_service.people import changed_rights, masters
from auth_service.proof import Proof
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.words import arranging
from shared.words.internal import RegisteredRoom
from shared.words.internal_looks import Arrangement, DeviceLook, LookChange, RoomLook
from shared.words.looks import HomeLook
from shared.words.names import Severity
from shared.words.problem import HomeError


class _Hand(NamedTuple):
    """A change under way."""

    connection: AsyncConnection
    say: telling.Say


class HomeLooks:
    """Changes it. `wake` tells the gateways at once.

    Every method raises HomeError: sign-in-required, forbidden, no-proof; not-found (a room), unknown-device;
    invalid-value for an order that names something twice, and (`field` "name") for a name that may not be.
    """

    def __init__(self, store: Store, sessions: Sessions, proof: Proof, *, wake: Callable[[], None]) -> None:
        self._store = store
        self._sessions = sessions
        self._proof = proof
        self._wake = wake

    async def arrange(self, wanted: LookChange[Arrangement], issuer: str) -> None:
        """Another order of the rooms."""
        async with self._change(wanted.token, wanted.address, issuer) as hand:
            rooms = await _rooms(hand)
            order = moves.wanted_order(sorted(rooms), wanted.look.order, no_room)
            await _place_rooms(hand, rooms, order)

    async def change_room(self, room: str, wanted: LookChange[RoomLook], issuer: str) -> None:
        """What a room is called, its icon, whether it is hidden, where it stands, and how its devices stand."""
        look = wanted.look
        async with self._change(wanted.token, wanted.address, issuer) as hand:
            rooms = await _rooms(hand)
            if (known := rooms.get(room)) is None:
                raise no_room()
            others = (one.look.name or one.name for one in rooms.values() if one.id != room)
            after = _looked(known.look, look, others)
            if after != known.look:
                await look_rows.set_room(hand.connection, room, after)
                await _tell(hand, f"room/{room}", known.name, known.look, after)
            order = moves.moved(arranging.rooms_in_order(rooms.values()), room, look, no_room)
            await _place_rooms(hand, rooms, order)
            if look.order is not UNSET:
                devices = [(one.id, one.kind) for one in known.devices]
                first = moves.wanted_order(arranging.usual(devices), look.order, no_device)
                await _place_devices(hand, known, arranging.in_order(devices, first))

    async def change_device(self, room: str, device: str, wanted: LookChange[DeviceLook], issuer: str) -> None:
        """What a device is called, its icon, whether it is hidden, and where it stands in its room."""
        async with self._change(wanted.token, wanted.address, issuer) as hand:
            known, found = await room_rows.registered(hand.connection, room, device)
            others = (one.look.name or one.name for one in known.devices if one.id != device)
            after = _looked(found.look, wanted.look, others)
            if after != found.look:
                await look_rows.set_device(hand.connection, room, device, after)
                await _tell(hand, f"{room}/{device}", found.name, found.look, after)
            order = moves.moved(arranging.devices_in_order(known), device, wanted.look, no_device)
            await _place_devices(hand, known, order)

    @contextlib.asynccontextmanager
    async def _change(self, token: str, address: str, issuer: str) -> AsyncIterator[_Hand]:
        """One change by a master user, told to the gateways once it stands."""
        session = await self._sessions.verify(token)
        who = telling.by(session.user, address, issuer)
        async with telling.change(self._store, self._proof, who, Severity.INFO) as (connection, say):
            await masters.held(connection, session.user.id, _masters_only)
            yield _Hand(connection, say)
            await changed_rights.note_registry(connection)
        self._wake()


async def _rooms(hand: _Hand) -> Mapping[str, RegisteredRoom]:
    """All of them, and nobody else arranges or names them meanwhile."""
    await look_rows.hold_rooms(hand.connection)
    return {room.id: room for room in await room_rows.all_enrolled(hand.connection)}


async def _place_rooms(hand: _Hand, rooms: Mapping[str, RegisteredRoom], wanted: Sequence[str]) -> None:
    if tuple(wanted) == arranging.rooms_in_order(rooms.values()):
        return
    await look_rows.place_rooms(hand.connection, arranging.shortest(sorted(rooms), wanted))
    await hand.say("registry:arranged", "home", order=" ".join(wanted))


async def _place_devices(hand: _Hand, room: RegisteredRoom, wanted: Sequence[str]) -> None:
    if tuple(wanted) == arranging.devices_in_order(room):
        return
    usual = arranging.usual([(one.id, one.kind) for one in room.devices])
    await look_rows.place_devices(hand.connection, room.id, arranging.shortest(usual, wanted))
    await hand.say("registry:arranged", f"room/{room.id}", order=" ".join(wanted))


def _looked(before: HomeLook, wish: RoomLook | DeviceLook, others: Iterable[str]) -> HomeLook:
    """The look with what is wished; a name of blanks alone takes the home's name back."""
    name = before.name
    if wish.name is not UNSET:
        name = checked_name(wish.name, others) if wish.name is not None and wish.name.strip() else None
    return msgspec.structs.replace(
        before,
        name=name,
        icon=before.icon if wish.icon is UNSET else wish.icon,
        hidden=before.hidden if wish.hidden is UNSET else wish.hidden,
    )


async def _tell(hand: _Hand, where: str, own: str, before: HomeLook, after: HomeLook) -> None:
    """By ids, with the names of before and after: whoever reads it later knows another name perhaps."""
    if after.name != before.name:
        await hand.say("registry:renamed", where, name=after.name or own, was=before.name or own)
    if after.icon != before.icon:
        await hand.say("registry:drawn", where, icon=after.icon or "-", was=before.icon or "-")
    if after.hidden != before.hidden:
        await hand.say("registry:hidden" if after.hidden else "registry:shown", where)


def _masters_only() -> HomeError:
    return HomeError("forbidden", "Only a master user names and arranges the home for everybody.")
