"""Passkeys in the database, as factors of their kind: found by a credential, and each challenge used up once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import and_, delete, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.factors.factor_rows import SETTING_UP
from auth_service.factors.passkeys import Made, found_by
from auth_service.people.user_rows import user_of
from auth_service.tables import challenges, factors, users
from shared.words.internal import User

KIND: Final = "passkey"
LIFETIME: Final = timedelta(minutes=5)
"""Of a challenge at sign-in: as long as browsers wait for a finger."""


class Passkey(msgspec.Struct, frozen=True):
    """One with its owner, who may sign in."""

    id: str
    user: User
    public_key: str
    count: int


async def begin(
    connection: AsyncConnection, user_id: str, factor_id: str, *, name: str, challenge: str, now: datetime
) -> None:
    """One that counts once the browser made it; one that was begun before is forgotten."""
    begun = delete(factors).where(factors.c.user_id == user_id, factors.c.kind == KIND, ~factors.c.confirmed)
    await connection.execute(begun)
    await connection.execute(
        insert(factors).values(
            id=factor_id,
            user_id=user_id,
            kind=KIND,
            name=name,
            created_at=now,
            confirmed=False,
            challenge=challenge,
        )
    )


async def challenge_of(connection: AsyncConnection, user_id: str, factor_id: str, now: datetime) -> str | None:
    """For what one that was begun is waited for; None where none is."""
    found = select(factors.c.challenge).where(
        factors.c.id == factor_id,
        factors.c.user_id == user_id,
        factors.c.kind == KIND,
        ~factors.c.confirmed,
        factors.c.created_at > now - SETTING_UP,
    )
    challenge: str | None = (await connection.execute(found)).scalar()
    return challenge


async def finish(connection: AsyncConnection, factor_id: str, challenge: str, made: Made) -> bool:
    """It counts from now on; False where another request was quicker with the challenge."""
    begun = update(factors).where(factors.c.id == factor_id, factors.c.challenge == challenge, ~factors.c.confirmed)
    values = {
        "confirmed": True,
        "challenge": None,
        "credential": made.credential,
        "credential_hash": found_by(made.credential),
        "public_key": made.public_key,
        "sign_count": made.count,
    }
    return (await connection.execute(begun.values(values))).rowcount == 1


async def credentials_of(connection: AsyncConnection, user_id: str) -> tuple[str, ...]:
    """Those of somebody's passkeys, not to be made twice at one device."""
    mine: Sequence[str] = (
        (
            await connection.execute(
                select(factors.c.credential).where(
                    factors.c.user_id == user_id, factors.c.kind == KIND, factors.c.confirmed
                )
            )
        )
        .scalars()
        .all()
    )
    return tuple(mine)


async def find(connection: AsyncConnection, credential: str) -> Passkey | None:
    """The passkey of a credential, of somebody who may sign in."""
    found = await connection.execute(
        select(factors.c.id.label("factor_id"), factors.c.public_key, factors.c.sign_count, users)
        .join(users, users.c.id == factors.c.user_id)
        .where(factors.c.credential_hash == found_by(credential), factors.c.confirmed, users.c.disabled_at.is_(None))
    )
    row = found.first()
    return None if row is None else Passkey(row.factor_id, user_of(row), row.public_key, row.sign_count)


async def use(connection: AsyncConnection, factor_id: str, count: int, now: datetime) -> bool:
    """It was shown; False where it is gone, or has shown as high a count before: a copy of it, or a request late."""
    newer = or_(factors.c.sign_count < count, and_(factors.c.sign_count == 0, literal(count) == 0))
    used = update(factors).where(factors.c.id == factor_id, factors.c.confirmed, newer)
    return (await connection.execute(used.values(sign_count=count, used_at=now))).rowcount == 1


async def put_challenge(connection: AsyncConnection, place_hash: str, challenge: str, now: datetime) -> None:
    """Keep one for a browser; its former one is void."""
    await connection.execute(delete(challenges).where(challenges.c.place_hash == place_hash))
    await connection.execute(
        insert(challenges).values(place_hash=place_hash, challenge=challenge, expires_at=now + LIFETIME)
    )


async def take_challenge(connection: AsyncConnection, place_hash: str, now: datetime) -> str | None:
    """Use a browser's up, whatever comes of it; None where there is none (any more): of two requests, one wins."""
    mine = delete(challenges).where(challenges.c.place_hash == place_hash, challenges.c.expires_at > now)
    challenge: str | None = (await connection.execute(mine.returning(challenges.c.challenge))).scalar()
    return challenge


async def drop_expired(connection: AsyncConnection, now: datetime) -> None:
    """Forget challenges past their time."""
    await connection.execute(delete(challenges).where(challenges.c.expires_at <= now))
