"""Invitations in the database: one per address, its code hashed, every wrong code counted before it is judged."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    Row,
    String,
    Table,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.people import user_rows
from auth_service.tables import Moment, metadata, users
from shared.words.internal import User
from shared.words.internal_people import InvitationRow, Letter
from shared.words.languages import known_language
from shared.words.names import Role

table = Table(
    # Who may become a user; its id is then the user's.
    "invitations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("email", String(254), nullable=False),
    Column("email_key", String(254), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("language", String(8)),
    Column("code_hash", String(64), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("letter", String(8), nullable=False),
    Column("invited_by", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("home", String(300), nullable=False, server_default=""),  # where the pages are, for the letter's link
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

missed = Table(
    # One row, from the beginning: how many codes were typed at invitations that are not open.
    "missed_invitations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("codes", BigInteger, nullable=False),
)

LIFETIME = timedelta(hours=48)
TRIES = 5


class Kept(msgspec.Struct, frozen=True):
    """An invitation with what only this service knows; `user` is who comes of it."""

    user: User
    code_hash: str
    invited_by: str


class Owed(msgspec.Struct, frozen=True):
    """An invitation whose letter is not sent: to whom (`user` is who comes of it), by whom, and where the pages are."""

    user: User
    by: str
    home: str
    expires_at: datetime
    code_hash: str


async def put(
    connection: AsyncConnection, user: User, *, code_hash: str, invited_by: str, home: str, now: datetime
) -> InvitationRow:
    """Keep a new one; the former one for this address is void. `home`: where the pages are, for its letter."""
    await connection.execute(delete(table).where(table.c.email_key == user_rows.email_key(user.email)))
    await connection.execute(
        insert(table).values(
            id=user.id,
            email=user.email,
            email_key=user_rows.email_key(user.email),
            name=user.name,
            role=user.role.value,
            language=user.language,
            code_hash=code_hash,
            tries=0,
            letter="waiting",
            invited_by=invited_by,
            home=home,
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    return next(row for row in await rows(connection, now) if row.id == user.id)


async def count(connection: AsyncConnection, now: datetime) -> int:
    """How many may still be taken."""
    return int((await connection.execute(select(func.count()).select_from(table).where(_open(now)))).scalar_one())


async def rows(connection: AsyncConnection, now: datetime) -> tuple[InvitationRow, ...]:
    """Those that may still be taken, newest first."""
    found = await connection.execute(
        select(table, users.c.name.label("inviter"))
        .join(users, users.c.id == table.c.invited_by)
        .where(_open(now))
        .order_by(table.c.created_at.desc(), table.c.id)
    )
    return tuple(
        InvitationRow(
            id=row.id,
            email=row.email,
            name=row.name,
            role=Role(row.role),
            language=known_language(row.language or ""),
            by=row.inviter,
            created_at=row.created_at,
            expires_at=row.expires_at,
            letter=row.letter,
            spent=row.tries >= TRIES,
        )
        for row in found
    )


async def claim(connection: AsyncConnection, invitation_id: str, now: datetime) -> Kept | None:
    """Spend one try; None where there is no such invitation, or none that may still be tried.

    Either way something is written, by the same statements: how long it takes tells nothing of which it was.
    """
    mine = update(table).where(table.c.id == invitation_id, table.c.tries < TRIES, _open(now))
    counted = await connection.execute(mine.values(tries=table.c.tries + 1))
    await connection.execute(update(missed).values(codes=missed.c.codes + (1 - counted.rowcount)))
    row = (await connection.execute(select(table).where(table.c.id == invitation_id))).first()
    return _kept(row) if row is not None and counted.rowcount == 1 else None


async def forgive(connection: AsyncConnection, kept: Kept) -> None:
    """The code was right: whoever has it may take several tries at a password."""
    await connection.execute(update(table).where(_same(kept)).values(tries=0))


async def use(connection: AsyncConnection, kept: Kept, now: datetime) -> bool:
    """Use it up; False where another request did so first, or it was withdrawn or made anew meanwhile."""
    gone = delete(table).where(_same(kept), _open(now))
    return (await connection.execute(gone)).rowcount == 1


async def stands(connection: AsyncConnection, invitation_id: str) -> bool:
    """Whether it still waits to be taken."""
    return (await connection.execute(select(table.c.id).where(table.c.id == invitation_id))).first() is not None


async def owed(connection: AsyncConnection, now: datetime, *, older: timedelta) -> tuple[Owed, ...]:
    """Those whose letter waits, made longer than that ago, the oldest first."""
    waiting = table.c.letter == "waiting", table.c.tries < TRIES, table.c.created_at <= now - older, table.c.home != ""
    found = await connection.execute(
        select(table, users.c.name.label("inviter"))
        .join(users, users.c.id == table.c.invited_by)
        .where(*waiting, _open(now))
        .order_by(table.c.created_at, table.c.id)
    )
    return tuple(Owed(user_rows.user_of(row), row.inviter, row.home, row.expires_at, row.code_hash) for row in found)


async def renew_code(connection: AsyncConnection, owed: Owed, code_hash: str) -> bool:
    """Another code for a letter that is written anew; False where it is owed no more."""
    mine = table.c.id == owed.user.id, table.c.code_hash == owed.code_hash, table.c.letter == "waiting"
    renewed = await connection.execute(update(table).where(*mine).values(code_hash=code_hash))
    return renewed.rowcount == 1


async def note_letter(connection: AsyncConnection, invitation_id: str, became: Letter) -> None:
    """What became of its letter."""
    await connection.execute(update(table).where(table.c.id == invitation_id).values(letter=became))


async def withdraw(connection: AsyncConnection, invitation_id: str) -> str | None:
    """Take it back; the name of whom it was for, None where there is none."""
    gone = delete(table).where(table.c.id == invitation_id).returning(table.c.name)
    name: str | None = (await connection.execute(gone)).scalar()
    return name


async def withdraw_of(connection: AsyncConnection, invited_by: str) -> None:
    """Take back whatever somebody invited who may not invite any more."""
    await connection.execute(delete(table).where(table.c.invited_by == invited_by))


async def withdraw_all(connection: AsyncConnection) -> None:
    """Take back every one: nobody knows yet who made them."""
    await connection.execute(delete(table))


async def withdraw_for(connection: AsyncConnection, email: str) -> None:
    """Take back what was sent to an address."""
    await connection.execute(delete(table).where(table.c.email_key == user_rows.email_key(email)))


async def drop_expired(connection: AsyncConnection, now: datetime) -> None:
    """Forget those past their time."""
    await connection.execute(delete(table).where(table.c.expires_at <= now))


def _open(now: datetime) -> ColumnElement[bool]:
    return table.c.expires_at > now


def _same(kept: Kept) -> ColumnElement[bool]:
    return and_(table.c.id == kept.user.id, table.c.code_hash == kept.code_hash)


def _kept(row: Row[*tuple[Any, ...]]) -> Kept:
    return Kept(user=user_rows.user_of(row), code_hash=row.code_hash, invited_by=row.invited_by)
