"""Sessions: made at login, checked for every page, ended at once. The database holds a hash of the token alone."""

import hashlib
import secrets
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, and_, bindparam, delete, insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.factors.demand_rows import owes
from auth_service.people import own_look_rows, user_rows
from auth_service.signing_in import ending_rows, token_rows
from auth_service.tables import revocations, sessions, tokens, users
from shared.words.internal import Ending, LoginAnswer, SessionInfo, User
from shared.words.names import Role

TOUCH = timedelta(minutes=1)
"""`seen_at` is written at most this often: a page is no reason to write to disk."""
PROOF = timedelta(minutes=5)
"""So long a strong factor that was shown counts for what asks for one."""


# Asked anew for every critical command, so it is built once and is one statement for all but guests.
_OF_TOKEN = (
    select(
        sessions.c.id.label("session_id"),
        sessions.c.seen_at,
        sessions.c.seen_from,
        sessions.c.expires_at,
        sessions.c.own,
        sessions.c.proved_at,
        owes(users.c.id).label("owes_factor"),
        users,
    )
    .join(users, users.c.id == sessions.c.user_id)
    .where(
        sessions.c.token_hash == bindparam("token_hash"),
        sessions.c.expires_at > bindparam("now"),
        or_(
            and_(sessions.c.own, sessions.c.seen_at > bindparam("own_used_since")),
            and_(~sessions.c.own, sessions.c.seen_at > bindparam("used_since")),
        ),
        users.c.disabled_at.is_(None),
    )
)


class Limits(msgspec.Struct, frozen=True):
    """How long a session lives unused, and at the most (ASVS 7.1.1, 7.3.1, 7.3.2).

    `own_`: in a browser that is the person's own.
    """

    idle: timedelta
    absolute: timedelta
    own_idle: timedelta = timedelta(days=60)
    own_absolute: timedelta = timedelta(days=365)

    def of(self, *, own: bool) -> tuple[timedelta, timedelta]:
        """How long one lives unused, and at the most."""
        return (self.own_idle, self.own_absolute) if own else (self.idle, self.absolute)


async def start(
    connection: AsyncConnection,
    user: User,
    *,
    address: str,
    agent: str,
    limits: Limits,
    now: datetime,
    own: bool = False,
    proved_at: datetime | None = None,
) -> LoginAnswer:
    """A new session with a new token of 256 random bits (ASVS 7.2.3); `proved_at`: when a strong factor was shown."""
    token, session_id = _new_token(), secrets.token_hex(8)
    idle, absolute = limits.of(own=own)
    expires_at = now + absolute
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
            own=own,
            proved_at=proved_at,
        )
    )
    return LoginAnswer(
        token=token,
        session=SessionInfo(
            id=session_id,
            user=user,
            grants=await user_rows.grants_of(connection, user.id),
            expires_at=min(expires_at, now + idle),
            proved_until=_proved_until(proved_at),
            own=await own_look_rows.of(connection, user.id),
        ),
    )


class Found(msgspec.Struct, frozen=True):
    """A live session, from where it was last used, and whether it is time to write down that it was seen."""

    info: SessionInfo
    seen_from: str
    stale: bool
    own: bool
    proved_at: datetime | None


async def find(
    connection: AsyncConnection, token: str, *, limits: Limits, now: datetime, lock: bool = False
) -> Found | None:
    """The live session of a token, None for any other.

    `lock`: nobody ends it until the transaction does; lock its user first.
    """
    since = {"used_since": now - limits.idle, "own_used_since": now - limits.own_idle}
    wanted = _OF_TOKEN.with_for_update(of=sessions) if lock else _OF_TOKEN
    found = await connection.execute(wanted, {"token_hash": _hashed(token), "now": now, **since})
    row = found.first()
    if row is None:
        return None
    user = user_rows.user_of(row)
    return Found(
        SessionInfo(
            id=row.session_id,
            user=user,
            grants=await user_rows.grants_of(connection, row.id) if user.role is Role.GUEST else (),
            expires_at=min(row.expires_at, row.seen_at + limits.of(own=row.own)[0]),
            proved_until=_proved_until(row.proved_at),
            owes_factor=row.owes_factor,
            own=own_look_rows.read(row.looks),
        ),
        seen_from=row.seen_from,
        stale=now - row.seen_at >= TOUCH,
        own=row.own,
        proved_at=row.proved_at,
    )


async def goes_on(connection: AsyncConnection, session_id: str, *, limits: Limits, now: datetime) -> bool:
    """Whether a session is live."""
    found = await connection.execute(select(sessions.c.id).where(sessions.c.id == session_id, live(limits, now)))
    return found.first() is not None


def is_proved(session: SessionInfo, now: datetime) -> bool:
    """Whether a strong factor was shown in this session within the last minutes."""
    return session.proved_until is not None and now < session.proved_until


async def prove(connection: AsyncConnection, token: str, now: datetime) -> str | None:
    """A strong factor was shown in the session of this token, which has another one from now on (ASVS 7.2.4).

    None where there is no such session (any more).
    """
    renewed = _new_token()
    mine = update(sessions).where(sessions.c.token_hash == _hashed(token))
    changed = await connection.execute(mine.values(token_hash=_hashed(renewed), proved_at=now, seen_at=now))
    if changed.rowcount != 1:
        return None
    await ending_rows.note(connection, [_hashed(token)], "renewed", now)
    return renewed


async def why_ended(connection: AsyncConnection, token: str, now: datetime) -> Ending | None:
    """Why the session of a token is none any more; None where nobody knows, or nobody ever had it."""
    hashed = _hashed(token)
    row = (
        await connection.execute(
            select(sessions.c.expires_at, users.c.disabled_at)
            .join(users, users.c.id == sessions.c.user_id)
            .where(sessions.c.token_hash == hashed)
        )
    ).first()
    if row is None:
        return await ending_rows.reason_of(connection, hashed)
    if row.disabled_at is not None:
        return "disabled"
    return "over" if row.expires_at <= now else "unused"


async def touch(connection: AsyncConnection, session_id: str, seen_from: str, now: datetime) -> None:
    """The session was used, from that address."""
    used = update(sessions).where(sessions.c.id == session_id)
    await connection.execute(used.values(seen_at=now, seen_from=seen_from))


class Ended(msgspec.Struct, frozen=True):
    """A session that was just ended, and whose it was."""

    id: str
    user_id: str
    user_name: str


async def end_token(connection: AsyncConnection, token: str, now: datetime) -> Ended | None:
    """End the session of a token."""
    return await _end(connection, sessions.c.token_hash == _hashed(token), "signed-out", now)


async def end_id(connection: AsyncConnection, session_id: str, user_id: str | None, now: datetime) -> Ended | None:
    """End a session by its public id; with `user_id`, only if it is that user's."""
    condition = sessions.c.id == session_id
    if user_id is not None:
        condition = and_(condition, sessions.c.user_id == user_id)
    return await _end(connection, condition, "ended", now)


async def end_all(connection: AsyncConnection, user_id: str, reason: Ending, now: datetime) -> None:
    """End every session of a user; of a disabled one the API tokens, too."""
    await end_those(connection, sessions.c.user_id == user_id, reason, now)
    if reason == "disabled":
        await token_rows.end_all(connection, tokens.c.user_id == user_id, now)


async def end_everyones(connection: AsyncConnection, reason: Ending, now: datetime) -> None:
    """End every session of everyone, and every API token: nobody knows yet what somebody else has."""
    # Sessions first, which waits for whoever makes a token by one of them, or another of them by a new password:
    # the former is found afterwards, the latter by looking once more.
    await end_those(connection, true(), reason, now)
    await end_those(connection, true(), reason, now)
    await token_rows.end_all(connection, true(), now)


async def drop_expired(connection: AsyncConnection, *, limits: Limits, now: datetime) -> None:
    """Forget sessions past their time; gateways know the time themselves."""
    over = delete(sessions).where(sessions.c.expires_at <= now).returning(sessions.c.token_hash)
    await ending_rows.note(connection, (await connection.execute(over)).scalars().all(), "over", now)
    unused = delete(sessions).where(~live(limits, now)).returning(sessions.c.token_hash)
    await ending_rows.note(connection, (await connection.execute(unused)).scalars().all(), "unused", now)


async def untold(connection: AsyncConnection) -> tuple[str, ...]:
    """Ended sessions that the gateways have not been told of."""
    rows = await connection.execute(select(revocations.c.session_id).order_by(revocations.c.ended_at).limit(500))
    return tuple(rows.scalars())


async def told(connection: AsyncConnection, session_ids: tuple[str, ...]) -> None:
    """The broker took the news."""
    await connection.execute(delete(revocations).where(revocations.c.session_id.in_(session_ids)))


async def end_those(connection: AsyncConnection, condition: ColumnElement[bool], reason: Ending, now: datetime) -> None:
    """End whichever these are."""
    gone = delete(sessions).where(condition).returning(sessions.c.id, sessions.c.token_hash)
    rows = (await connection.execute(gone)).all()
    if rows:
        await connection.execute(insert(revocations), [{"session_id": row.id, "ended_at": now} for row in rows])
    await ending_rows.note(connection, [row.token_hash for row in rows], reason, now)


async def _end(
    connection: AsyncConnection, condition: ColumnElement[bool], reason: Ending, now: datetime
) -> Ended | None:
    row = (
        await connection.execute(
            select(sessions.c.id, sessions.c.token_hash, sessions.c.user_id, users.c.name)
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
    await ending_rows.note(connection, [row.token_hash], reason, now)
    return Ended(row.id, row.user_id, row.name)


def live(limits: Limits, now: datetime) -> ColumnElement[bool]:
    """Which sessions are within their time."""
    used = or_(
        and_(sessions.c.own, sessions.c.seen_at > now - limits.own_idle),
        and_(~sessions.c.own, sessions.c.seen_at > now - limits.idle),
    )
    return and_(sessions.c.expires_at > now, used)


def _proved_until(proved_at: datetime | None) -> datetime | None:
    return None if proved_at is None else proved_at + PROOF


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
