"""How each person looks at the home, in the database: one text in their own row, which comes with each session."""

import logging

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.tables import users
from shared.words.looks import NOTHING, OwnLooks

log = logging.getLogger(__name__)


def read(text: str | None) -> OwnLooks:
    """What stands there. What cannot be read is as if nothing stood there: nobody is kept out by how a page looks."""
    if text is None:
        return NOTHING
    try:
        return msgspec.json.decode(text, type=OwnLooks)
    except msgspec.DecodeError:
        log.warning("Somebody's own order and favourites cannot be read")
        return NOTHING


async def of(connection: AsyncConnection, user_id: str, *, lock: bool = False) -> OwnLooks:
    """One person's; `lock`: nobody changes them until the transaction ends."""
    query = select(users.c.looks).where(users.c.id == user_id)
    return read((await connection.execute(query.with_for_update() if lock else query)).scalar())


async def write(connection: AsyncConnection, user_id: str, own: OwnLooks) -> None:
    """Exactly this from now on."""
    text = None if own == NOTHING else msgspec.json.encode(own).decode()
    await connection.execute(update(users).where(users.c.id == user_id).values(looks=text))


async def forget_room(connection: AsyncConnection, room: str) -> None:
    """The room was revoked: nobody says anything of it any more."""
    query = select(users.c.id, users.c.looks).where(users.c.looks.is_not(None)).order_by(users.c.id).with_for_update()
    for row in (await connection.execute(query)).all():
        own = read(row.looks)
        rest = OwnLooks(
            rooms=tuple(one for one in own.rooms if one.id != room),
            order=tuple(one for one in own.order if one != room),
        )
        if rest != own:
            await write(connection, row.id, rest)
