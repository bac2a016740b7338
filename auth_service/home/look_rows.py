"""What the master user says of rooms and devices for everybody, in the database: on a connection of the caller's.

No description changes anything of it (room_rows.save leaves it alone); it goes with its room, when that is revoked.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.tables import devices, rooms
from shared.words.looks import HomeLook, Icon

_ICONS = frozenset(Icon)


def look_of(row: Row[*tuple[Any, ...]]) -> HomeLook:
    """A row of rooms or devices, as it is looked at."""
    icon = Icon(row.icon) if row.icon in _ICONS else None  # a newer version's may be another, after a way back
    return HomeLook(name=row.home_name, icon=icon, hidden=row.hidden, place=row.place)


async def hold_rooms(connection: AsyncConnection) -> None:
    """Nobody else changes what any room looks like, until the transaction ends."""
    await connection.execute(select(rooms.c.id).order_by(rooms.c.id).with_for_update())


async def set_room(connection: AsyncConnection, room: str, look: HomeLook) -> None:
    """How a room is called and drawn, and whether it is hidden; where it stands is `place_rooms`'s."""
    await connection.execute(update(rooms).where(rooms.c.id == room).values(**_values(look)))


async def set_device(connection: AsyncConnection, room: str, device: str, look: HomeLook) -> None:
    """How a device is called and drawn, and whether it is hidden; where it stands is `place_devices`'s."""
    theirs = update(devices).where(devices.c.room == room, devices.c.id == device)
    await connection.execute(theirs.values(**_values(look)))


async def place_rooms(connection: AsyncConnection, first: Sequence[str]) -> None:
    """These rooms stand first, in this order, and no others."""
    await connection.execute(update(rooms).values(place=None))
    for place, room in enumerate(first):
        await connection.execute(update(rooms).where(rooms.c.id == room).values(place=place))


async def place_devices(connection: AsyncConnection, room: str, first: Sequence[str]) -> None:
    """These devices of a room stand first, in this order, and no others."""
    theirs = update(devices).where(devices.c.room == room)
    await connection.execute(theirs.values(place=None))
    for place, device in enumerate(first):
        await connection.execute(theirs.where(devices.c.id == device).values(place=place))


async def forget_room(connection: AsyncConnection, room: str) -> None:
    """The room was revoked: nobody looks at it any more."""
    nothing = {**_values(HomeLook()), "place": None}
    await connection.execute(update(rooms).where(rooms.c.id == room).values(**nothing))
    await connection.execute(update(devices).where(devices.c.room == room).values(**nothing))


def _values(look: HomeLook) -> dict[str, Any]:
    icon = None if look.icon is None else look.icon.value
    return {"home_name": look.name, "icon": icon, "hidden": look.hidden}
