"""The history's filters: an index for each question, in which room an event was, and a clock that never falls."""

import sqlalchemy as sa
from alembic import op

from alert_service.chain.forms import room_of

revision = "0003"
down_revision = "0002"

IN_ROOMS, ELSEWHERE = "room <> ''", "room = ''"
OFF_CLOCK = "at - clock NOT BETWEEN -3600000000 AND 3600000000"
INDEXES = (
    ("events_in_rooms", ["outcome", "row"], IN_ROOMS),
    ("events_elsewhere", ["outcome", "row"], ELSEWHERE),
    ("events_by_user_in_rooms", ["user_id", "outcome", "row"], IN_ROOMS),
    ("events_by_user_elsewhere", ["user_id", "outcome", "row"], ELSEWHERE),
    ("events_by_room", ["room", "outcome", "row"], None),
    ("events_by_place", ["place", "outcome", "row"], None),
    ("events_by_user_and_room", ["user_id", "room", "outcome", "row"], None),
    ("events_by_user_and_place", ["user_id", "place", "outcome", "row"], None),
    ("events_by_clock", ["clock", "row"], None),
    ("events_off_clock", ["at", "row"], OFF_CLOCK),
)


def upgrade() -> None:
    """Fill what is new from what is there, then index it."""
    op.add_column("events", sa.Column("clock", sa.BigInteger, nullable=False, server_default="0"))
    for name in ("events_by_user", "events_by_place", "events_by_room"):
        op.drop_index(name, "events")
    events = sa.table("events", sa.column("row"), sa.column("room"), sa.column("received_at"), sa.column("clock"))
    connection = op.get_bind()
    for room in connection.execute(sa.select(events.c.room).distinct()).scalars().all():
        if room_of(room) != room:
            connection.execute(sa.update(events).where(events.c.room == room).values(room=room_of(room)))
    highest = sa.func.max(events.c.received_at).over(order_by=events.c.row)
    clocks = sa.select(events.c.row, highest.label("clock")).subquery()
    connection.execute(sa.update(events).where(events.c.row == clocks.c.row).values(clock=clocks.c.clock))
    for name, columns, where in INDEXES:
        condition = sa.text(where) if where is not None else None
        op.create_index(name, "events", columns, sqlite_where=condition, postgresql_where=condition)
