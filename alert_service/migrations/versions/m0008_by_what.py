"""The history's filters by what something is about: beside each other question, and in indexes of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

IN_ROOMS, ELSEWHERE = "room <> ''", "room = ''"
EVENTS = (
    ("events_by_user_in_rooms", ["user_id", "outcome", "row", "what"], IN_ROOMS),
    ("events_by_user_elsewhere", ["user_id", "outcome", "row", "what"], ELSEWHERE),
    ("events_by_room", ["room", "outcome", "row", "what"], None),
    ("events_by_place", ["place", "outcome", "row", "what"], None),
    ("events_by_user_and_room", ["user_id", "room", "outcome", "row", "what"], None),
    ("events_by_user_and_place", ["user_id", "place", "outcome", "row", "what"], None),
)
HAPPENINGS = (
    ("happenings_by_room", ["room", "what", "at", "number"]),
    ("happenings_by_place", ["place", "what", "at", "number"]),
)


def upgrade() -> None:
    """One by one, so that no more room is needed for them than for the largest."""
    for name, columns, where in EVENTS:
        op.drop_index(name, "events")
        condition = sa.text(where) if where is not None else None
        op.create_index(name, "events", columns, sqlite_where=condition, postgresql_where=condition)
    op.create_index("events_by_what", "events", ["what", "outcome", "row", "room"])
    for name, columns in HAPPENINGS:
        op.drop_index(name, "happenings")
        op.create_index(name, "happenings", columns)
