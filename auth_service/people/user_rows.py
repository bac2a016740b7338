"""Users and grants in the database: the statements, on a connection of the caller's. accounts.py has the rules."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.tables import grants, users
from shared.words.internal import Grant, User, UserRow
from shared.words.internal_recipients import Recipient
from shared.words.languages import Language, known_language
from shared.words.names import Action, Role


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A user with what only this service knows."""

    user: User
    password_hash: str
    disabled: bool


def email_key(email: str) -> str:
    """By what an address is found, however it is typed."""
    return email.strip().lower()


async def find(connection: AsyncConnection, email: str, *, lock: bool = False) -> Account | None:
    """The account of an address; `lock`: as it stays until the transaction ends."""
    statement = select(users).where(users.c.email_key == email_key(email))
    row = (await connection.execute(statement.with_for_update() if lock else statement)).first()
    if row is None:
        return None
    return Account(user=user_of(row), password_hash=row.password_hash, disabled=row.disabled_at is not None)


async def password_hashes(connection: AsyncConnection) -> list[str]:
    """Everybody's."""
    return list((await connection.execute(select(users.c.password_hash))).scalars())


async def name_of(connection: AsyncConnection, user_id: str) -> str | None:
    """A user's name by id."""
    name: str | None = (await connection.execute(select(users.c.name).where(users.c.id == user_id))).scalar()
    return name


async def enabled(connection: AsyncConnection, user_id: str) -> User | None:
    """A user by id, unless disabled."""
    found = await connection.execute(select(users).where(users.c.id == user_id, users.c.disabled_at.is_(None)))
    row = found.first()
    return None if row is None else user_of(row)


async def lock(connection: AsyncConnection, user_id: str) -> bool:
    """Hold the row of a user who may sign in until the transaction ends; whether there is one."""
    held = select(users.c.id).where(users.c.id == user_id, users.c.disabled_at.is_(None)).with_for_update()
    return (await connection.execute(held)).first() is not None


async def add(connection: AsyncConnection, user: User, *, password_hash: str, now: datetime) -> None:
    """Add a user."""
    await connection.execute(
        insert(users).values(
            id=user.id,
            email=user.email,
            email_key=email_key(user.email),
            name=user.name,
            role=user.role.value,
            password_hash=password_hash,
            created_at=now,
            language=user.language,
        )
    )


async def set_password(connection: AsyncConnection, user_id: str, password_hash: str) -> None:
    """Another password hash."""
    await connection.execute(update(users).where(users.c.id == user_id).values(password_hash=password_hash))


async def exchange_password(connection: AsyncConnection, user_id: str, stored: str, wanted: str) -> bool:
    """Another password hash, unless the one that is stored is another meanwhile; whether it was."""
    mine = update(users).where(users.c.id == user_id, users.c.password_hash == stored, users.c.disabled_at.is_(None))
    return (await connection.execute(mine.values(password_hash=wanted))).rowcount == 1


async def set_language(connection: AsyncConnection, user_id: str, language: Language | None) -> None:
    """Another language for letters; None is the home's."""
    await connection.execute(update(users).where(users.c.id == user_id).values(language=language))


async def set_name(connection: AsyncConnection, user_id: str, name: str) -> None:
    """Another name."""
    await connection.execute(update(users).where(users.c.id == user_id).values(name=name))


async def set_email(connection: AsyncConnection, user_id: str, email: str) -> None:
    """Another address; it is nobody else's."""
    mine = update(users).where(users.c.id == user_id)
    await connection.execute(mine.values(email=email, email_key=email_key(email)))


async def set_role(connection: AsyncConnection, user_id: str, role: Role) -> None:
    """Another role."""
    await connection.execute(update(users).where(users.c.id == user_id).values(role=role.value))


async def enable(connection: AsyncConnection, user_id: str) -> None:
    """Signing in is possible again."""
    await connection.execute(update(users).where(users.c.id == user_id).values(disabled_at=None))


async def disable(connection: AsyncConnection, user_id: str, now: datetime) -> None:
    """No sign-in from now on."""
    await connection.execute(update(users).where(users.c.id == user_id).values(disabled_at=now))


async def delete_disabled(connection: AsyncConnection, user_id: str) -> None:
    """Delete a disabled user with sessions, codes and grants."""
    await connection.execute(delete(users).where(users.c.id == user_id, users.c.disabled_at.is_not(None)))


async def signed_in(connection: AsyncConnection, user_id: str, now: datetime) -> bool:
    """Remember the latest sign-in; whether it is the first."""
    before = (await connection.execute(select(users.c.signed_in_at).where(users.c.id == user_id))).scalar()
    await connection.execute(update(users).where(users.c.id == user_id).values(signed_in_at=now))
    return before is None


async def count_masters(connection: AsyncConnection) -> int:
    """How many master users may sign in; locked until the transaction ends, so that two cannot both be the last."""
    rows = await connection.execute(
        select(users.c.id)
        .where(users.c.role == Role.MASTER.value, users.c.disabled_at.is_(None))
        .order_by(users.c.id)  # in one order, so that two do not wait for each other
        .with_for_update()
    )
    return len(rows.all())


async def count(connection: AsyncConnection) -> int:
    """How many users there are, disabled ones among them."""
    return int((await connection.execute(select(func.count()).select_from(users))).scalar_one())


async def replace_grants(connection: AsyncConnection, user_id: str, wanted: tuple[Grant, ...]) -> None:
    """Exactly these grants from now on."""
    await connection.execute(delete(grants).where(grants.c.user_id == user_id))
    for grant in wanted:
        await connection.execute(
            insert(grants).values(
                user_id=user_id,
                room=grant.room,
                device=grant.device,
                weekdays="".join(str(day) for day in sorted(set(grant.weekdays))),
                from_minute=grant.from_minute,
                to_minute=grant.to_minute,
                since=grant.since,
                until=grant.until,
                actions=None if grant.actions is None else " ".join(grant.actions),
            )
        )


async def grants_of(connection: AsyncConnection, user_id: str) -> tuple[Grant, ...]:
    """What a user was granted."""
    rows = await connection.execute(select(grants).where(grants.c.user_id == user_id).order_by(grants.c.id))
    return tuple(_grant(row) for row in rows)


async def row_of(connection: AsyncConnection, user_id: str, *, lock: bool = False) -> UserRow | None:
    """One user with their grants; `lock`: until the transaction ends, so that two changes follow one another."""
    statement = select(users).where(users.c.id == user_id)
    row = (await connection.execute(statement.with_for_update() if lock else statement)).first()
    return None if row is None else _row(row, await grants_of(connection, user_id))


async def all_rows(connection: AsyncConnection) -> tuple[UserRow, ...]:
    """Every user with their grants, the oldest first."""
    granted: dict[str, list[Grant]] = {}
    for row in await connection.execute(select(grants).order_by(grants.c.id)):
        granted.setdefault(row.user_id, []).append(_grant(row))
    rows = await connection.execute(select(users).order_by(users.c.created_at, users.c.id))
    return tuple(_row(row, tuple(granted.get(row.id, ()))) for row in rows)


async def recipients(connection: AsyncConnection) -> tuple[Recipient, ...]:
    """Who may get letters: everyone who may sign in, once whoever is changing somebody is done.

    In a transaction that writes: SQLite's write lock sees to it, PostgreSQL has to be told.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text("LOCK TABLE users IN SHARE MODE"))
    rows = await connection.execute(
        select(users.c.id, users.c.email, users.c.role, users.c.language)
        .where(users.c.disabled_at.is_(None))
        .order_by(users.c.created_at, users.c.id)
    )
    return tuple(
        Recipient(
            id=row.id,
            email=row.email,
            master=row.role == Role.MASTER.value,
            language=known_language(row.language or ""),
        )
        for row in rows
    )


def user_of(row: Row[*tuple[Any, ...]]) -> User:
    """The public part of a row of `users`."""
    language = known_language(row.language or "")
    return User(id=row.id, name=row.name, email=row.email, role=Role(row.role), language=language)


def _row(row: Row[*tuple[Any, ...]], granted: tuple[Grant, ...]) -> UserRow:
    return UserRow(
        user=user_of(row),
        grants=granted,
        created_at=row.created_at,
        signed_in_at=row.signed_in_at,
        disabled=row.disabled_at is not None,
    )


def _grant(row: Row[*tuple[Any, ...]]) -> Grant:
    return Grant(
        room=row.room,
        device=row.device,
        weekdays=tuple(int(day) for day in row.weekdays),
        from_minute=row.from_minute,
        to_minute=row.to_minute,
        since=row.since,
        until=row.until,
        actions=None if row.actions is None else tuple(Action(name) for name in row.actions.split()),
    )
