"""API tokens in the database: a hash of each alone, and what it may. Those that ended are told like sessions."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.people import user_rows
from auth_service.tables import revocations, tokens, users
from shared.words.internal import SessionInfo
from shared.words.internal_tokens import TokenMade, TokenRow
from shared.words.names import Role
from shared.words.scopes import PREFIX, Allowed, TokenUse

TOUCH = timedelta(minutes=1)
"""`used_at` is written at most this often."""
_SCOPE = tuple[Allowed, ...]


class Found(msgspec.Struct, frozen=True):
    """A live token's use, from where it was last used, and whether it is time to write down that it was."""

    info: SessionInfo
    used_from: str
    stale: bool


class Ended(msgspec.Struct, frozen=True):
    """A token that was just revoked, and whose it was."""

    id: str
    name: str
    user_id: str
    user_name: str


async def make(
    connection: AsyncConnection, user_id: str, *, name: str, scope: _SCOPE, expires_at: datetime, now: datetime
) -> TokenMade:
    """A new token of 256 random bits."""
    token, token_id = PREFIX + secrets.token_urlsafe(32), secrets.token_hex(8)
    await connection.execute(
        insert(tokens).values(
            id=token_id,
            token_hash=_hashed(token),
            user_id=user_id,
            name=name,
            scope=msgspec.json.encode(scope).decode(),
            created_at=now,
            expires_at=expires_at,
        )
    )
    row = TokenRow(
        id=token_id, name=name, scope=scope, created_at=now, expires_at=expires_at, used_at=None, used_from=""
    )
    return TokenMade(token=token, row=row)


async def count(connection: AsyncConnection, user_id: str, now: datetime) -> int:
    """How many live ones somebody has."""
    live = select(func.count()).select_from(tokens).where(tokens.c.user_id == user_id, tokens.c.expires_at > now)
    return int((await connection.execute(live)).scalar_one())


async def find(connection: AsyncConnection, token: str, now: datetime) -> Found | None:
    """What the bearer of a live token of somebody who may sign in is, by what the owner may now; None for any other."""
    wanted = (
        select(
            tokens.c.id.label("token_id"),
            tokens.c.name.label("token_name"),
            tokens.c.scope,
            tokens.c.expires_at,
            tokens.c.used_at,
            tokens.c.used_from,
            users,
        )
        .join(users, users.c.id == tokens.c.user_id)
        .where(tokens.c.token_hash == _hashed(token), tokens.c.expires_at > now, users.c.disabled_at.is_(None))
    )
    row = (await connection.execute(wanted)).first()
    if row is None:
        return None
    user = user_rows.user_of(row)
    info = SessionInfo(
        id=row.token_id,
        user=user,
        grants=await user_rows.grants_of(connection, user.id) if user.role is Role.GUEST else (),
        expires_at=row.expires_at,
        token=TokenUse(name=row.token_name, scope=msgspec.json.decode(row.scope, type=_SCOPE)),
    )
    stale = row.used_at is None or now - row.used_at >= TOUCH
    return Found(info, used_from=row.used_from, stale=stale)


async def touch(connection: AsyncConnection, token_id: str, used_from: str, now: datetime) -> None:
    """It was used, from that address."""
    await connection.execute(update(tokens).where(tokens.c.id == token_id).values(used_at=now, used_from=used_from))


async def rows_of(connection: AsyncConnection, user_id: str, now: datetime) -> tuple[TokenRow, ...]:
    """Somebody's live tokens, newest first."""
    rows = await connection.execute(
        select(tokens)
        .where(tokens.c.user_id == user_id, tokens.c.expires_at > now)
        .order_by(tokens.c.created_at.desc(), tokens.c.id)
    )
    return tuple(_row(row) for row in rows)


async def end(connection: AsyncConnection, token_id: str, user_id: str, now: datetime) -> Ended | None:
    """Revoke one, if it is that user's; None where it is not, or is revoked already."""
    found = (
        select(tokens.c.id, tokens.c.name, tokens.c.user_id, users.c.name.label("user_name"))
        .join(users, users.c.id == tokens.c.user_id)
        .where(tokens.c.id == token_id, tokens.c.user_id == user_id)
    )
    row = (await connection.execute(found)).first()
    if row is None or not await end_all(connection, tokens.c.id == token_id, now):
        return None
    return Ended(row.id, row.name, row.user_id, row.user_name)


async def end_all(connection: AsyncConnection, condition: ColumnElement[bool], now: datetime) -> int:
    """Revoke every one of which that is true; how many there were."""
    ids = (await connection.execute(delete(tokens).where(condition).returning(tokens.c.id))).scalars().all()
    if ids:
        await connection.execute(insert(revocations), [{"session_id": one, "ended_at": now} for one in ids])
    return len(ids)


async def drop_expired(connection: AsyncConnection, now: datetime) -> None:
    """Forget those past their time; gateways know the time themselves."""
    await connection.execute(delete(tokens).where(tokens.c.expires_at <= now))


def _row(row: Row[*tuple[Any, ...]]) -> TokenRow:
    return TokenRow(
        id=row.id,
        name=row.name,
        scope=msgspec.json.decode(row.scope, type=_SCOPE),
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        used_from=row.used_from,
    )


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
