"""Factors of every kind and recovery codes in the database: the statements, on a connection of the caller's."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import delete, distinct, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.people import changed_rights
from auth_service.tables import factors, recovery_codes, sessions

SETTING_UP = timedelta(minutes=10)
"""For so long a secret that was shown waits for the first code made of it."""


class Factor(msgspec.Struct, frozen=True):
    """An authenticator app or a passkey that was set up."""

    id: str
    kind: str
    name: str
    created_at: datetime
    used_at: datetime | None


async def of(connection: AsyncConnection, user_id: str) -> tuple[Factor, ...]:
    """A user's factors, the oldest first."""
    rows = await connection.execute(
        select(factors)
        .where(factors.c.user_id == user_id, factors.c.confirmed)
        .order_by(factors.c.created_at, factors.c.id)
    )
    return tuple(Factor(row.id, row.kind, row.name, row.created_at, row.used_at) for row in rows)


async def begin(connection: AsyncConnection, user_id: str, factor_id: str, name: str, now: datetime) -> None:
    """A factor that counts once its first code was typed; one that was begun before is forgotten."""
    begun = delete(factors).where(factors.c.user_id == user_id, factors.c.kind == "totp", ~factors.c.confirmed)
    await connection.execute(begun)
    await connection.execute(
        insert(factors).values(
            id=factor_id, user_id=user_id, kind="totp", name=name, created_at=now, confirmed=False, last_step=None
        )
    )


async def confirm(connection: AsyncConnection, user_id: str, factor_id: str, step: int, now: datetime) -> bool:
    """It counts from now on; False where it was not begun, too long ago, or confirmed already."""
    begun = update(factors).where(
        factors.c.id == factor_id,
        factors.c.user_id == user_id,
        ~factors.c.confirmed,
        factors.c.created_at > now - SETTING_UP,
    )
    return (await connection.execute(begun.values(confirmed=True, last_step=step, used_at=now))).rowcount == 1


async def spend_step(connection: AsyncConnection, factor_id: str, step: int, now: datetime) -> bool:
    """Use a code up; False where it, or a later one, was used before (RFC 6238, 5.2)."""
    newer = or_(factors.c.last_step.is_(None), factors.c.last_step < step)
    used = update(factors).where(factors.c.id == factor_id, factors.c.confirmed, newer)
    return (await connection.execute(used.values(last_step=step, used_at=now))).rowcount == 1


async def remove(connection: AsyncConnection, user_id: str, factor_id: str) -> str | None:
    """Forget one; of what kind it was, None where there is none such. With the last go the recovery codes.

    What was proved in this user's sessions counts no more: it may have been by this one, in another's hand.
    """
    mine = delete(factors).where(factors.c.id == factor_id, factors.c.user_id == user_id, factors.c.confirmed)
    kind: str | None = (await connection.execute(mine.returning(factors.c.kind))).scalar()
    if kind is None:
        return None
    await _forget_proofs(connection, user_id)
    if not await of(connection, user_id):
        await connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    return kind


async def remove_all(connection: AsyncConnection, user_id: str) -> int:
    """Forget every factor and recovery code of a user, and what they proved; how many factors there were."""
    gone = await connection.execute(
        delete(factors).where(factors.c.user_id == user_id, factors.c.confirmed).returning(factors.c.id)
    )
    count = len(gone.all())
    await connection.execute(delete(factors).where(factors.c.user_id == user_id))
    await connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    if count:
        await _forget_proofs(connection, user_id)
    return count


async def count_passkeys(connection: AsyncConnection) -> tuple[int, int]:
    """How many passkeys there are in all, and of how many people."""
    mine = (factors.c.kind == "passkey", factors.c.confirmed)
    counted = select(func.count(), func.count(distinct(factors.c.user_id))).select_from(factors).where(*mine)
    passkeys, people = (await connection.execute(counted)).one()
    return passkeys, people


async def put_recovery(connection: AsyncConnection, user_id: str, hashes: Iterable[str]) -> None:
    """These recovery codes, and none of the former, nor what one of those proved."""
    await connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    await _forget_proofs(connection, user_id)
    await connection.execute(insert(recovery_codes), [{"user_id": user_id, "code_hash": one} for one in hashes])


async def recovery_left(connection: AsyncConnection, user_id: str) -> int:
    """How many recovery codes were not used yet."""
    left = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.user_id == user_id)
    return int((await connection.execute(left)).scalar_one())


async def knows_recovery(connection: AsyncConnection, user_id: str, code_hash: str) -> bool:
    """Whether it is one that was not used yet."""
    mine = (recovery_codes.c.user_id == user_id, recovery_codes.c.code_hash == code_hash)
    return (await connection.execute(select(recovery_codes.c.user_id).where(*mine))).first() is not None


async def spend_recovery(connection: AsyncConnection, user_id: str, code_hash: str) -> bool:
    """Use one up; False where another request was quicker."""
    mine = (recovery_codes.c.user_id == user_id, recovery_codes.c.code_hash == code_hash)
    return (await connection.execute(delete(recovery_codes).where(*mine))).rowcount == 1


async def _forget_proofs(connection: AsyncConnection, user_id: str) -> None:
    proved = update(sessions).where(sessions.c.user_id == user_id, sessions.c.proved_at.is_not(None))
    await connection.execute(proved.values(proved_at=None))
    await changed_rights.note(connection, user_id)
