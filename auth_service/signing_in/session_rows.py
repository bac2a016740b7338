"""Sessions: made at login, checked for every page, ended at once. The database holds a hash of the token alone."""

import hashlib
import secrets
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, and_, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.people import user_rows
from auth_service.tables import revocations, sessions, users
from shared.words.internal import LoginAnswer, SessionInfo, SessionRow, User
from shared.words.names import Role

TOUCH = timedelta(minutes=1)
"""`seen_at` is written at most this often: a page is no reason to write to disk."""


# Asked anew for every critical command, so it is built once and is one statement for all but guests.
_OF_TOKEN = (
    select(sessions.c.id.label("session_id"), sessions.c.seen_at, sessions.c.seen_from, sessions.c.expires_at, users)
    .join(users, users.c.id == sessions.c.user_id)
    .where(
        sessions.c.token_hash == bindparam("token_hash"),
        sessions.c.expires_at > bindparam("now"),
        sessions.c.seen_at > bindparam("used_since"),
        users.c.disabled_at.is_(None),
    )
)


class Limits(msgspec.Struct, frozen=True):
    """How long a session lives unused, and at the most (ASVS 7.1.1, 7.3.1, 7.3.2)."""

    idle: timedelta
    absolute: timedelta


async def start(
    connection: AsyncConnection, user: User, *, address: str, agent: str, limits: Limits, now: datetime
) -> LoginAnswer:
    """A new session with a new token of 256 random bits (ASVS 7.2.3)."""
    token, session_id = secrets.token_urlsafe(32), secrets.token_hex(8)
    expires_at = now + limits.absolute
    await connection.execute(
        insert(sessions).values(
            id=session_id,
            token_hash=_hashed(token),
            user_id=user.id,
            created_at=now,
            seen_at=now,
            expires_at=expires_at,
            address=address,
            agent=agent,
            seen_from=address,
        )
    )
    return LoginAnswer(
        token=token,
        session=SessionInfo(
            id=session_id,
            user=user,
            grants=await user_rows.grants_of(connection, user.id),
            expires_at=min(expires_at, now + limits.idle),
        ),
    )


class Found(msgspec.Struct, frozen=True):
    """A live session, from where it was last used, and whether it is time to write down that it was seen."""

    info: SessionInfo
    seen_from: str
    stale: bool


async def find(connection: AsyncConnection, token: str, *, limits: Limits, now: datetime) -> Found | None:
    """The live session of a token, None for any other."""
    found = await connection.execute(
        _OF_TOKEN, {"token_hash": _hashed(token), "now": now, "used_since": now - limits.idle}
    )
    row = found.first()
    if row is None:
        return None
    user = user_rows.user_of(row)
    return Found(
        SessionInfo(
            id=row.session_id,
            user=user,
            grants=await user_rows.grants_of(connection, row.id) if user.role is Role.GUEST else (),
            expires_at=min(row.expires_at, row.seen_at + limits.idle),
        ),
        seen_from=row.seen_from,
        stale=now - row.seen_at >= TOUCH,
    )


async def touch(connection: AsyncConnection, session_id: str, seen_from: str, now: datetime) -> None:
    """The session was used, from that address."""
    used = update(sessions).where(sessions.c.id == session_id)
    await connection.execute(used.values(seen_at=now, seen_from=seen_from))


async def used_from(connection: AsyncConnection, since: datetime, *, limits: Limits, now: datetime) -> set[str]:
    """From which addresses live sessions of people who may sign in were used last, since then."""
    found = await connection.execute(
        select(sessions.c.seen_from)
        .distinct()
        .join(users, users.c.id == sessions.c.user_id)
        .where(_live(limits, now), sessions.c.seen_at >= since, users.c.disabled_at.is_(None))
    )
    return set(found.scalars())


async def rows_of(
    connection: AsyncConnection, user_id: str, *, limits: Limits, now: datetime
) -> tuple[SessionRow, ...]:
    """A user's live sessions, newest first."""
    rows = await connection.execute(
        select(sessions)
        .where(sessions.c.user_id == user_id, _live(limits, now))
        .order_by(sessions.c.created_at.desc(), sessions.c.id)
    )
    return tuple(
        SessionRow(
            id=row.id,
            user_id=row.user_id,
            created_at=row.created_at,
            seen_at=row.seen_at,
            expires_at=min(row.expires_at, row.seen_at + limits.idle),
            address=row.address,
            agent=row.agent,
        )
        for row in rows
    )


class Ended(msgspec.Struct, frozen=True):
    """A session that was just ended, and whose it was."""

    id: str
    user_id: str
    user_name: str


async def end_token(connection: AsyncConnection, token: str, now: datetime) -> Ended | None:
    """End the session of a token."""
    return await _end(connection, sessions.c.token_hash == _hashed(token), now)


async def end_id(connection: AsyncConnection, session_id: str, user_id: str | None, now: datetime) -> Ended | None:
    """End a session by its public id; with `user_id`, only if it is that user's."""
    condition = sessions.c.id == session_id
    if user_id is not None:
        condition = and_(condition, sessions.c.user_id == user_id)
    return await _end(connection, condition, now)


async def end_all(connection: AsyncConnection, user_id: str, now: datetime) -> None:
    """End every session of a user."""
    ids = (await connection.execute(select(sessions.c.id).where(sessions.c.user_id == user_id))).scalars().all()
    await connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
    for session_id in ids:
        await connection.execute(insert(revocations).values(session_id=session_id, ended_at=now))


async def end_everyones(connection: AsyncConnection, now: datetime) -> None:
    """End every session of everyone."""
    ids = (await connection.execute(delete(sessions).returning(sessions.c.id))).scalars().all()
    if ids:
        await connection.execute(insert(revocations), [{"session_id": one, "ended_at": now} for one in ids])


async def drop_expired(connection: AsyncConnection, *, limits: Limits, now: datetime) -> None:
    """Forget sessions past their time; gateways know the time themselves."""
    await connection.execute(delete(sessions).where(~_live(limits, now)))


async def untold(connection: AsyncConnection) -> tuple[str, ...]:
    """Ended sessions that the gateways have not been told of."""
    rows = await connection.execute(select(revocations.c.session_id).order_by(revocations.c.ended_at).limit(500))
    return tuple(rows.scalars())


async def told(connection: AsyncConnection, session_ids: tuple[str, ...]) -> None:
    """The broker took the news."""
    await connection.execute(delete(revocations).where(revocations.c.session_id.in_(session_ids)))


async def _end(connection: AsyncConnection, condition: ColumnElement[bool], now: datetime) -> Ended | None:
    row = (
        await connection.execute(
            select(sessions.c.id, sessions.c.user_id, users.c.name)
            .join(users, users.c.id == sessions.c.user_id)
            .where(condition)
        )
    ).first()
    if row is None:
        return None
    gone = await connection.execute(delete(sessions).where(sessions.c.id == row.id))
    if gone.rowcount == 0:
        return None  # another request ended it meanwhile
    await connection.execute(insert(revocations).values(session_id=row.id, ended_at=now))
    return Ended(row.id, row.user_id, row.name)


def _live(limits: Limits, now: datetime) -> ColumnElement[bool]:
    return and_(sessions.c.expires_at > now, sessions.c.seen_at > now - limits.idle)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
