"""How somebody looks at the home themselves: favourites, order, hiding; nobody else's affair, so no event tells it."""

import contextlib
from collections.abc import AsyncIterator, Callable

import msgspec
from msgspec import UNSET
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.home import moves, room_rows
from auth_service.home.moves import no_device, no_room
from auth_service.people import changed_rights, own_look_rows, user_rows
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.words import arranging, looks
from shared.words.internal_looks import Arrangement, LookChange, OwnDeviceLook, OwnRoomLook
from shared.words.looks import FAVOURITES_MOST, OWN_MOST, OwnLooks, OwnRoom
from shared.words.problem import HomeError


class _Under:
    """One person's looks under change."""

    def __init__(self, connection: AsyncConnection, own: OwnLooks) -> None:
        self.connection = connection
        self.own = own

    def put(self, room: OwnRoom) -> None:
        """What they say of one room from now on."""
        rest = tuple(one for one in self.own.rooms if one.id != room.id)
        said = () if room == OwnRoom(id=room.id) else (room,)
        self.own = OwnLooks(rooms=(*rest, *said), order=self.own.order)

    async def rooms(self) -> tuple[str, ...]:
        """All rooms as the home has them."""
        return arranging.rooms_in_order(await room_rows.all_enrolled(self.connection))

    def place_rooms(self, usual: tuple[str, ...], wanted: tuple[str, ...]) -> None:
        """Another order of theirs, where it is another."""
        if wanted != arranging.arranged(usual, self.own.order):
            self.own = OwnLooks(rooms=self.own.rooms, order=arranging.shortest(usual, wanted))


class OwnWays:
    """Changes it. `wake` tells the gateways at once.

    Every method raises HomeError: sign-in-required; not-found (a room), unknown-device; invalid-value for an order that
    names something twice, and where it has become too much.
    """

    def __init__(self, store: Store, sessions: Sessions, wake: Callable[[], None]) -> None:
        self._store = store
        self._sessions = sessions
        self._wake = wake

    async def arrange(self, wanted: LookChange[Arrangement]) -> str:
        """Another order of the rooms. Whose it is now."""
        async with self._change(wanted.token) as (user_id, under):
            usual = await under.rooms()
            under.place_rooms(usual, moves.wanted_order(usual, wanted.look.order, no_room))
        return user_id

    async def change_room(self, room: str, wanted: LookChange[OwnRoomLook]) -> str:
        """Whether a room is hidden from oneself, where it stands, and how its devices stand. Whose it is now."""
        look = wanted.look
        async with self._change(wanted.token) as (user_id, under):
            known = await room_rows.find(under.connection, room)
            if known is None:
                raise no_room()
            said = under.own.of(room)
            if look.hidden is not UNSET:
                said = msgspec.structs.replace(said, hidden=look.hidden)
            if look.order is not UNSET:
                usual = arranging.devices_in_order(known)
                order = moves.wanted_order(usual, look.order, no_device)
                said = msgspec.structs.replace(said, order=arranging.shortest(usual, order))
            under.put(said)
            usual = await under.rooms()
            under.place_rooms(usual, moves.moved(arranging.arranged(usual, under.own.order), room, look, no_room))
        return user_id

    async def change_device(self, room: str, device: str, wanted: LookChange[OwnDeviceLook]) -> str:
        """Whether a device is a favourite, hidden from oneself, and where it stands in its room. Whose it is now."""
        look = wanted.look
        async with self._change(wanted.token) as (user_id, under):
            known = await room_rows.find(under.connection, room)
            if known is None or device not in {one.id for one in known.devices}:
                raise no_device()
            said = under.own.of(room)
            if look.favourite is not UNSET:
                said = msgspec.structs.replace(said, favourites=_with(said.favourites, device, among=look.favourite))
                if look.favourite:
                    said = msgspec.structs.replace(said, hid=_with(said.hid, device, among=False))
            if look.hidden is not UNSET:
                said = msgspec.structs.replace(
                    said,
                    hid=_with(said.hid, device, among=look.hidden is True),
                    shown=_with(said.shown, device, among=look.hidden is False),
                    favourites=tuple(one for one in said.favourites if one != device or not look.hidden),
                )
            usual = arranging.devices_in_order(known)
            stands = arranging.in_order([(one.id, one.kind) for one in known.devices], usual, said.order)
            order = moves.moved(stands, device, look, no_device)
            if order != stands:
                said = msgspec.structs.replace(said, order=arranging.shortest(usual, order))
            under.put(said)
        return user_id

    @contextlib.asynccontextmanager
    async def _change(self, token: str) -> AsyncIterator[tuple[str, _Under]]:
        """One change by whose session it is, told to the gateways once it stands."""
        user_id = (await self._sessions.verify(token)).user.id
        async with self._store.write() as connection:
            if not await user_rows.lock(connection, user_id):
                raise HomeError("sign-in-required")
            before = await own_look_rows.of(connection, user_id)
            under = _Under(connection, before)
            yield user_id, under
            if under.own == before:
                return
            _check(before, under.own)
            await own_look_rows.write(connection, user_id, under.own)
            await changed_rights.note(connection, user_id)
        self._wake()


def _with(ids: tuple[str, ...], one: str, *, among: bool) -> tuple[str, ...]:
    rest = tuple(found for found in ids if found != one)
    return (*rest, one) if among else rest


def _check(before: OwnLooks, after: OwnLooks) -> None:
    """Raises invalid-value where it has become more, and too much; less is always possible."""
    if looks.favourites(after) > max(FAVOURITES_MOST, looks.favourites(before)):
        said = f"{FAVOURITES_MOST} are the most. Remove one first."
        raise HomeError("invalid-value", said, field="favourite")
    if looks.size(after) > max(OWN_MOST, looks.size(before)):
        raise HomeError("invalid-value", f"Your own order and hidings name {OWN_MOST} devices at the most.")
