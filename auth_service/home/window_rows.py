"""Windows in the database: one a name, its token hashed, and the one key that came in."""

import asyncio
import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, Column, Row, String, Table, Text, delete, false, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.home.window import Window
from auth_service.tables import Moment, metadata
from shared.words import join_code
from shared.words.internal_joining import Kind

table = Table(
    # Which room or client may join just now. The name need not be given out yet: it is when a machine comes.
    "join_windows",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("opened_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("kind", String(8), nullable=False, server_default="room"),
    Column("may", Text, nullable=False, server_default=""),
    Column("resumes", Boolean, nullable=False, server_default=false()),
    Column("renews", Boolean, nullable=False, server_default=false()),
    Column("key_hash", String(64)),
    Column("joined_at", Moment),
    Column("certificate", Text),
    Column("opened_by", String(32)),  # the id of the user, where it was one; until they may no longer
)

_AWAITING = table.c.key_hash.is_(None)
KEPT = timedelta(days=1)
"""So long a window is remembered after its end, so that whoever comes too late is told that it is late."""


async def put(connection: AsyncConnection, window: Window, *, opened_by: str | None = None) -> str:
    """Open it, and end the former one of its name; its token, which is nowhere else. `opened_by`: a user's id."""
    token = join_code.fresh() if window.kind == "phone" else secrets.token_hex(16)
    await close(connection, window.name)
    await connection.execute(
        insert(table).values(
            name=window.name,
            token_hash=await hashed(token),
            opened_at=window.opened_at,
            expires_at=window.expires_at,
            kind=window.kind,
            may=" ".join(window.may),
            resumes=window.resumes,
            renews=window.renews,
            opened_by=opened_by,
        )
    )
    return token


async def by_hash(connection: AsyncConnection, token_hash: str) -> Window | None:
    """The window that a token is of (`hashed`), whatever has become of it."""
    row = (await connection.execute(select(table).where(table.c.token_hash == token_hash))).first()
    return None if row is None else _window(row)


async def of(connection: AsyncConnection, name: str) -> Window | None:
    """The window of a name, whatever has become of it."""
    row = (await connection.execute(select(table).where(table.c.name == name))).first()
    return None if row is None else _window(row)


async def bind(connection: AsyncConnection, token_hash: str, key: str, now: datetime) -> bool:
    """From now on it is this key's; False where another one was first, or it was closed meanwhile."""
    mine = update(table).where(table.c.token_hash == token_hash, table.c.key_hash.is_(None))
    return (await connection.execute(mine.values(key_hash=key, joined_at=now))).rowcount == 1


async def keep(connection: AsyncConnection, name: str, key: str, certificate: str) -> bool:
    """Keep the certificate of the key that came in; False where the window is another one by now."""
    mine = update(table).where(table.c.name == name, table.c.key_hash == key)
    return (await connection.execute(mine.values(certificate=certificate))).rowcount == 1


async def close(connection: AsyncConnection, name: str) -> None:
    """Nobody comes in under this name any more."""
    await connection.execute(delete(table).where(table.c.name == name))


async def close_awaiting(connection: AsyncConnection, name: str, kind: Collection[Kind]) -> bool:
    """End the window of a name by which nobody came yet; whether there was one of such a kind."""
    mine = delete(table).where(table.c.name == name, table.c.kind.in_(kind), _AWAITING)
    return (await connection.execute(mine)).rowcount > 0


async def close_every_awaiting(connection: AsyncConnection) -> None:
    """Nobody comes in any more who did not come yet; who came may still ask for the answer."""
    await connection.execute(delete(table).where(_AWAITING))


async def close_of(connection: AsyncConnection, user_id: str) -> None:
    """Nobody comes in any more by a window of this user's; what came already stays, and is no longer theirs."""
    mine = table.c.opened_by == user_id
    await connection.execute(delete(table).where(mine, _AWAITING))
    await connection.execute(update(table).where(mine).values(opened_by=None))


async def close_all(connection: AsyncConnection) -> None:
    """Nobody comes in any more."""
    await connection.execute(delete(table))


async def drop_old(connection: AsyncConnection, now: datetime) -> None:
    """Forget those that ended a day ago."""
    await connection.execute(delete(table).where(table.c.expires_at <= now - KEPT))


async def hashed(token: str) -> str:
    """As a token is kept. A code's takes its time: once a request, and while no connection waits for it."""
    if not join_code.is_one(token):
        # 128 random bits: nobody finds them by trying, so that a slow hash would keep nobody out but us.
        return hashlib.sha256(token.encode()).hexdigest()
    # A code is short enough to be typed, and opens the phone's file for as long as that lies about.
    return (await asyncio.to_thread(_slowly, token)).hex()


def _slowly(code: str) -> bytes:
    return hashlib.scrypt(code.encode(), salt=b"homesystem join code", n=2**13, r=8, p=1, dklen=32)


def _window(row: Row[*tuple[Any, ...]]) -> Window:
    return Window(
        name=row.name,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        kind=row.kind,
        may=tuple(row.may.split()),
        resumes=row.resumes,
        renews=row.renews,
        key=row.key_hash,
        joined_at=row.joined_at,
        certificate=row.certificate,
    )
