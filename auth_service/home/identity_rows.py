"""Identities in the database: which certificate names were ever given out, and which are revoked. Never reused."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.tables import identities, rooms
from shared.words import names
from shared.words.problem import HomeError

IdentityRole = Literal["room", "client", "service"]


class IdentityRow(msgspec.Struct, frozen=True, kw_only=True):
    """One identity, as `homesystem room list` and `client` show it."""

    name: str
    role: IdentityRole
    enrolled_at: datetime
    revoked_at: datetime | None


def check_name(name: str, role: IdentityRole) -> None:
    """Raises HomeError("invalid-value") for a name of the wrong form, or one that belongs to the hub."""
    if not names.is_identity(name):
        raise HomeError(
            "invalid-value",
            "A name begins with a small letter and goes on with small letters, digits, dashes; 32 in all.",
        )
    if names.is_reserved(name) != (role == "service"):
        raise HomeError(
            "invalid-value",
            f"The name {name} is kept for the hub's own services." if role != "service" else f"{name} is no service.",
        )


def taken(known: IdentityRow) -> str:
    """Why its name is not given out, and what to do."""
    name = known.name
    if known.revoked_at is not None:
        return f"The name {name} was revoked, and no name is ever given out twice. Choose another one."
    return in_use(name, known.role)


def in_use(name: str, role: IdentityRole) -> str:
    """What to do about a name that somebody has: the same one may be meant, on another machine."""
    match role:
        case "room":
            return (
                f"The name {name} is in use. For its room on another card there is homesystem room renew {name}; "
                "for anything else, choose another one."
            )
        case "client":
            return (
                f"The name {name} is in use. For its client on another machine there is homesystem client renew "
                f"{name}; for anything else, choose another one."
            )
        case "service":
            return f"The name {name} is kept for the hub's own services."


async def enrol(connection: AsyncConnection, name: str, role: IdentityRole, now: datetime) -> None:
    """Give out a name. Raises HomeError("already-exists") when it was given out before, revoked or not."""
    known = await find(connection, name)
    if known is not None:
        raise HomeError("already-exists", taken(known))
    await connection.execute(insert(identities).values(name=name, role=role, enrolled_at=now))
    if role == "room":
        await connection.execute(insert(rooms).values(id=name, name=name.replace("-", " ").capitalize()))


async def revoke(connection: AsyncConnection, name: str, now: datetime) -> None:
    """Take a name back for good; nothing happens to one that is revoked already."""
    await connection.execute(
        update(identities).where(identities.c.name == name, identities.c.revoked_at.is_(None)).values(revoked_at=now)
    )


async def find(connection: AsyncConnection, name: str) -> IdentityRow | None:
    """One identity."""
    row = (await connection.execute(select(identities).where(identities.c.name == name))).first()
    return None if row is None else _identity(row)


async def standing(connection: AsyncConnection, name: str, role: IdentityRole) -> IdentityRow:
    """One that was given out and not taken back. Raises HomeError("not-found")."""
    identity = await find(connection, name)
    if identity is None or identity.role != role:
        raise HomeError("not-found", f"There is no {role} {name}; `homesystem {role} list` names them all.")
    if identity.revoked_at is not None:
        raise HomeError("not-found", f"{name} was revoked, for good; add it anew under another name.")
    return identity


async def all_rows(connection: AsyncConnection) -> tuple[IdentityRow, ...]:
    """Every identity, by name."""
    rows = await connection.execute(select(identities).order_by(identities.c.name))
    return tuple(_identity(row) for row in rows)


def _identity(row: Row[*tuple[Any, ...]]) -> IdentityRow:
    return IdentityRow(name=row.name, role=row.role, enrolled_at=row.enrolled_at, revoked_at=row.revoked_at)
