"""What is pending, in the database, on a connection of the caller's: who takes a row, or is given it, has it done."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    Row,
    String,
    Table,
    and_,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.tables import Moment, metadata, users
from shared.words.messages import UserRef
from shared.words.names import Action, Kind
from shared.words.pending import PendingWish

table = Table(
    # What somebody wants of a device that does not act at once: who takes the row away, or is given it, carries it out.
    "pending_wishes",
    metadata,
    Column("room", String(32), primary_key=True),
    Column("device", String(32), primary_key=True),
    Column("action", String(16), primary_key=True),
    Column("id", String(64), nullable=False),
    Column("value", Integer),
    Column("kind", String(16), nullable=False),  # of the device as it was when it was wanted
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("pressed_at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("due", Moment),  # of an appointment; the others wait for a second person
    Column("session_id", String(32)),  # in which it was wanted: it goes with that, whyever that ends
    Column("given_at", Moment),  # when a gateway was given it to carry out: nobody else is
)

presses = Table(
    # The ids of presses at such devices: none of them puts up or agrees a second time.
    "presses",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("wish", String(200), nullable=False),  # room, device, action and value
    Column("stands_as", String(64), nullable=False),  # the wish that it put up or found; itself, where it agreed
    Column("acted", Boolean, nullable=False),
    Column("at", Moment, nullable=False, index=True),
)

PRESSES_KEPT = timedelta(days=7)
"""As long as a gateway keeps the ids of what it carried out."""


class Standing(NamedTuple):
    """A wish, the kind that its device had when it was put up, its session, and when it was given to a gateway."""

    wish: PendingWish
    kind: Kind
    session_id: str | None = None
    given_at: datetime | None = None


class Known(NamedTuple):
    """A press of before: what it wanted, the id of the wish that it put up or found, and whether it agreed."""

    wish: str
    stands_as: str
    acted: bool


async def everything(connection: AsyncConnection) -> tuple[Standing, ...]:
    """All that is pending."""
    rows = await connection.execute(_WITH_NAMES.order_by(table.c.room, table.c.device, table.c.action))
    return tuple(map(_standing, rows))


async def of_action(connection: AsyncConnection, room: str, device: str, action: Action) -> Standing | None:
    """What is pending of one action of a device: one wish at the most."""
    row = (await connection.execute(_WITH_NAMES.where(_place(room, device), table.c.action == action.value))).first()
    return None if row is None else _standing(row)


async def by_id(connection: AsyncConnection, room: str, device: str, wish_id: str) -> Standing | None:
    """What is pending of a device under an id."""
    row = (await connection.execute(_WITH_NAMES.where(_place(room, device), table.c.id == wish_id))).first()
    return None if row is None else _standing(row)


async def put(connection: AsyncConnection, wish: PendingWish, kind: Kind, session_id: str) -> None:
    """Put it up, where nothing is pending of that action; it ends with that session."""
    await connection.execute(
        insert(table).values(
            room=wish.room,
            device=wish.device,
            action=wish.action.value,
            id=wish.id,
            value=wish.value,
            kind=kind.value,
            user_id=wish.by.id,
            pressed_at=wish.pressed_at,
            until=wish.until,
            due=wish.due,
            session_id=session_id,
        )
    )


async def take(connection: AsyncConnection, wish: PendingWish) -> bool:
    """Take it away; False where somebody else did so first."""
    same = and_(_place(wish.room, wish.device), table.c.action == wish.action.value, table.c.id == wish.id)
    gone = await connection.execute(delete(table).where(same, table.c.user_id == wish.by.id).returning(table.c.id))
    return gone.first() is not None


async def give(connection: AsyncConnection, wish: PendingWish, now: datetime) -> bool:
    """It is being carried out; False where somebody else was given it, or it is gone."""
    same = and_(_place(wish.room, wish.device), table.c.id == wish.id, table.c.given_at.is_(None))
    given = await connection.execute(update(table).where(same).values(given_at=now).returning(table.c.id))
    if given.first() is None:
        return False
    put_up = and_(presses.c.user_id == wish.by.id, presses.c.id == wish.id)
    await connection.execute(update(presses).where(put_up).values(acted=True))
    return True


async def press_of(connection: AsyncConnection, user_id: str, press_id: str) -> Known | None:
    """What came of a person's press under this id."""
    found = await connection.execute(select(presses).where(presses.c.user_id == user_id, presses.c.id == press_id))
    row = found.first()
    return None if row is None else Known(row.wish, row.stands_as, row.acted)


async def note_press(connection: AsyncConnection, user_id: str, press_id: str, known: Known, now: datetime) -> None:
    """This id is used; those of long ago are forgotten."""
    await connection.execute(delete(presses).where(presses.c.at < now - PRESSES_KEPT))
    values = {"user_id": user_id, "id": press_id, **known._asdict(), "at": now}
    await connection.execute(insert(presses).values(values))


_WITH_NAMES = select(table, users.c.name.label("user_name")).join(users, users.c.id == table.c.user_id)


def _place(room: str, device: str) -> ColumnElement[bool]:
    return and_(table.c.room == room, table.c.device == device)


def _standing(row: Row[*tuple[Any, ...]]) -> Standing:
    wish = PendingWish(
        id=row.id,
        room=row.room,
        device=row.device,
        action=Action(row.action),
        by=UserRef(id=row.user_id, name=row.user_name),
        pressed_at=row.pressed_at,
        until=row.until,
        value=row.value,
        due=row.due,
    )
    return Standing(wish, Kind(row.kind), row.session_id, row.given_at)
