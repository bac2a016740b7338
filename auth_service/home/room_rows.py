"""Rooms and their devices, in the database: on a connection of the caller's."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.home import look_rows
from auth_service.home.absence import RETURN
from auth_service.tables import devices, identities, loosenings, rooms
from shared.words.internal import RegisteredDevice, RegisteredRoom
from shared.words.names import Action, ConfirmBy, Kind
from shared.words.problem import HomeError

_ENROLLED = select(rooms).join(identities, identities.c.name == rooms.c.id).where(identities.c.revoked_at.is_(None))


async def find(connection: AsyncConnection, room: str, *, lock: bool = False) -> RegisteredRoom | None:
    """One room, if it is enrolled and not revoked; `lock` keeps others from changing it meanwhile."""
    query = _ENROLLED.where(rooms.c.id == room)
    row = (await connection.execute(query.with_for_update() if lock else query)).first()
    if row is None:
        return None
    found = await connection.execute(select(devices).where(devices.c.room == room).order_by(devices.c.id))
    devices_ = tuple(_device(device) for device in found)
    return RegisteredRoom(id=row.id, name=row.name, devices=devices_, look=look_rows.look_of(row))


async def registered(connection: AsyncConnection, room: str, device: str) -> tuple[RegisteredRoom, RegisteredDevice]:
    """A room that nobody changes meanwhile, and a device of it. Raises HomeError("unknown-device")."""
    known = await find(connection, room, lock=True)
    for found in known.devices if known is not None else ():
        if known is not None and found.id == device:
            return known, found
    raise HomeError("unknown-device")


async def critical_among(connection: AsyncConnection, places: Collection[str]) -> dict[str, bool]:
    """Of these (`hall/lamp`) each that is a device of a room that stands, and whether it is critical."""
    wanted = {place.partition("/")[0] for place in places}
    enrolled = select(identities.c.name).where(identities.c.revoked_at.is_(None), identities.c.name.in_(wanted))
    rows = await connection.execute(
        select(devices.c.room, devices.c.id, devices.c.critical).where(devices.c.room.in_(enrolled))
    )
    found = {f"{row.room}/{row.id}": row.critical for row in rows}
    return {place: found[place] for place in places if place in found}


async def device_ids(connection: AsyncConnection, room: str) -> tuple[str, ...]:
    """The devices of a room, revoked ones included."""
    return tuple(await connection.scalars(select(devices.c.id).where(devices.c.room == room).order_by(devices.c.id)))


async def names(connection: AsyncConnection) -> tuple[str, ...]:
    """What rooms are called, by their ids and in their own words, revoked ones included."""
    ids = await connection.scalars(select(identities.c.name).where(identities.c.role == "room"))
    return (*ids, *await connection.scalars(select(rooms.c.name)))


async def all_enrolled(connection: AsyncConnection) -> tuple[RegisteredRoom, ...]:
    """Every room that is enrolled and not revoked, with its devices."""
    belonging: dict[str, list[RegisteredDevice]] = {}
    for device in await connection.execute(select(devices).order_by(devices.c.id)):
        belonging.setdefault(device.room, []).append(_device(device))
    rows = await connection.execute(_ENROLLED.order_by(rooms.c.id))
    return tuple(
        RegisteredRoom(id=row.id, name=row.name, devices=tuple(belonging.get(row.id, ())), look=look_rows.look_of(row))
        for row in rows
    )


async def home_names(connection: AsyncConnection) -> dict[str, str]:
    """What the master user calls rooms, by their ids, and devices, as `room/device`: of those that are enrolled."""
    enrolled = select(identities.c.name).where(identities.c.revoked_at.is_(None))
    named_rooms = select(rooms.c.id, rooms.c.home_name).where(rooms.c.home_name.is_not(None), rooms.c.id.in_(enrolled))
    named = select(devices.c.room, devices.c.id, devices.c.home_name).where(
        devices.c.home_name.is_not(None), devices.c.room.in_(enrolled)
    )
    found = {row.id: row.home_name for row in await connection.execute(named_rooms)}
    return found | {f"{row.room}/{row.id}": row.home_name for row in await connection.execute(named)}


async def save(connection: AsyncConnection, before: RegisteredRoom, after: RegisteredRoom) -> None:
    """Write what differs."""
    if after.name != before.name:
        await connection.execute(update(rooms).where(rooms.c.id == after.id).values(name=after.name))
    known = {device.id: device for device in before.devices}
    added: list[dict[str, Any]] = []
    for device in after.devices:
        values = {
            "name": device.name,
            "kind": device.kind.value,
            "critical": device.critical,
            "confirm": device.confirm,
            "safe_actions": None if device.safe_actions is None else " ".join(device.safe_actions),
        }
        if device.id not in known:
            added.append({"room": after.id, "id": device.id, **values})
        elif device != known[device.id]:
            row = (devices.c.room == after.id, devices.c.id == device.id)
            await connection.execute(update(devices).where(*row).values(**values))
    if added:
        await connection.execute(insert(devices), added)


async def set_lockout(connection: AsyncConnection, room: str, device: str, *, locked_out: bool) -> None:
    """Lock a device out, or lift that; `save` leaves it alone, so that no description ever does.

    Whoever lifts it takes the device as it is: how long it was away is over with that.
    """
    row = (devices.c.room == room, devices.c.id == device)
    values = {"locked_out": True} if locked_out else {"locked_out": False, "named_at": None}
    await connection.execute(update(devices).where(*row).values(**values))
    if not locked_out:
        waits = (loosenings.c.room == room, loosenings.c.device == device, loosenings.c.field == RETURN)
        await connection.execute(delete(loosenings).where(*waits))


async def named(connection: AsyncConnection, room: str) -> dict[str, datetime | None]:
    """When each device of a room was named last by its description; None where nobody has noted it."""
    rows = await connection.execute(select(devices.c.id, devices.c.named_at).where(devices.c.room == room))
    return {row.id: row.named_at for row in rows}


async def note_named(connection: AsyncConnection, room: str, ids: frozenset[str], now: datetime) -> None:
    """These were named just now."""
    await connection.execute(update(devices).where(devices.c.room == room, devices.c.id.in_(ids)).values(named_at=now))


async def set_confirm_by(
    connection: AsyncConnection, room: str, device: str, way: ConfirmBy, delay_minutes: int
) -> None:
    """How the master user will have it confirmed; `save` leaves it alone, so that no description ever does."""
    row = (devices.c.room == room, devices.c.id == device)
    await connection.execute(update(devices).where(*row).values(confirm_by=way.value, delay_minutes=delay_minutes))


async def all_locked_out(connection: AsyncConnection) -> tuple[str, ...]:
    """Every device of an enrolled room that is locked out, as `room/device`, sorted."""
    rows = await connection.execute(
        select(devices.c.room, devices.c.id)
        .join(identities, identities.c.name == devices.c.room)
        .where(devices.c.locked_out, identities.c.revoked_at.is_(None))
    )
    return tuple(sorted(f"{row.room}/{row.id}" for row in rows))


def _device(row: Row[*tuple[Any, ...]]) -> RegisteredDevice:
    return RegisteredDevice(
        id=row.id,
        name=row.name,
        kind=Kind(row.kind),
        critical=row.critical,
        confirm=row.confirm,
        locked_out=row.locked_out,
        confirm_by=ConfirmBy(row.confirm_by),
        delay_minutes=row.delay_minutes,
        safe_actions=None if row.safe_actions is None else tuple(map(Action, row.safe_actions.split())),
        look=look_rows.look_of(row),
    )
