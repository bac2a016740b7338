"""Confirmation codes in the database: hashed, one per account and browser, every try counted before it is judged."""

from datetime import datetime

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.confirming import codes
from auth_service.people.user_rows import user_of
from auth_service.tables import codes as table
from auth_service.tables import users
from shared.words.internal import User


class Attempt(msgspec.Struct, frozen=True):
    """A code's row as the hub's own command sees it: whose it is, where it is typed (hashed), from where asked."""

    id: str
    user: User
    browser_hash: str
    address: str


class Claim(msgspec.Struct, frozen=True):
    """A try at a code: its row, and the hash that the typed code must have."""

    id: str
    code_hash: str


async def put(
    connection: AsyncConnection,
    *,
    code_id: str,
    user_id: str,
    browser_hash: str,
    code_hash: str,
    now: datetime,
    attempt: str = "",
    address: str = "",
) -> None:
    """Keep a new code; the former one of this account and browser is void."""
    # Two requests at once: the second waits here, so that the later code is the one that counts.
    await connection.execute(select(users.c.id).where(users.c.id == user_id).with_for_update())
    await connection.execute(delete(table).where(table.c.user_id == user_id, table.c.browser_hash == browser_hash))
    await connection.execute(
        insert(table).values(
            id=code_id,
            user_id=user_id,
            browser_hash=browser_hash,
            code_hash=code_hash,
            expires_at=now + codes.LIFETIME,
            tries=0,
            attempt=attempt,
            address=address,
        )
    )


async def attempts(connection: AsyncConnection, attempt: str, now: datetime) -> tuple[Attempt, ...]:
    """The attempts of that name whose time is not over, of users who may sign in."""
    found = await connection.execute(
        select(table.c.id.label("code_id"), table.c.browser_hash, table.c.address, users)
        .join(users, users.c.id == table.c.user_id)
        .where(table.c.attempt == attempt, table.c.expires_at > now, users.c.disabled_at.is_(None))
    )
    return tuple(Attempt(row.code_id, user_of(row), row.browser_hash, row.address) for row in found)


async def replace(connection: AsyncConnection, code_id: str, *, new_id: str, code_hash: str, now: datetime) -> bool:
    """Another code in the place of one, with its time and its tries anew; False where it was used meanwhile.

    It has an id of its own: a letter with the former one, on its way still, is of no more use.
    """
    values = {"id": new_id, "code_hash": code_hash, "tries": 0, "expires_at": now + codes.LIFETIME}
    return (await connection.execute(update(table).where(table.c.id == code_id).values(values))).rowcount == 1


async def waits(connection: AsyncConnection, *, user_id: str, browser_hash: str, now: datetime) -> bool:
    """Whether a code of this account and browser may still be typed."""
    mine = (table.c.user_id == user_id, table.c.browser_hash == browser_hash)
    return (await connection.execute(select(table.c.id).where(*mine, table.c.expires_at > now))).first() is not None


async def claim(connection: AsyncConnection, *, user_id: str, browser_hash: str, now: datetime) -> Claim | None:
    """Spend one try; None when there is no code, or none that may still be tried."""
    mine = (table.c.user_id == user_id, table.c.browser_hash == browser_hash)
    counted = await connection.execute(
        update(table)
        .where(*mine, table.c.tries < codes.TRIES, table.c.expires_at > now)
        .values(tries=table.c.tries + 1)
    )
    row = (await connection.execute(select(table.c.id, table.c.code_hash).where(*mine))).first()
    return Claim(row.id, row.code_hash) if row is not None and counted.rowcount == 1 else None


async def spend(connection: AsyncConnection, code_id: str) -> bool:
    """Use a code up; False when another request did so first."""
    return (await connection.execute(delete(table).where(table.c.id == code_id))).rowcount == 1


async def drop(connection: AsyncConnection, *, user_id: str, browser_hash: str) -> None:
    """The code of this account and place, if there is one, is void."""
    await connection.execute(delete(table).where(table.c.user_id == user_id, table.c.browser_hash == browser_hash))


async def drop_all(connection: AsyncConnection, user_id: str) -> None:
    """Whatever was mailed to this account, for whatever purpose, is void."""
    await connection.execute(delete(table).where(table.c.user_id == user_id))


async def drop_everyones(connection: AsyncConnection) -> None:
    """Whatever was mailed to anybody is void."""
    await connection.execute(delete(table))


async def stands(connection: AsyncConnection, code_id: str) -> bool:
    """Whether a code still waits to be typed."""
    return (await connection.execute(select(table.c.id).where(table.c.id == code_id))).first() is not None


async def drop_expired(connection: AsyncConnection, now: datetime) -> None:
    """Forget codes past their time."""
    await connection.execute(delete(table).where(table.c.expires_at <= now))
