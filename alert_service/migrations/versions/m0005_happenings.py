"""What happens without anybody's doing has a table of its own, beside the chain."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """What earlier versions recorded of the like stands in the chain, and stays there."""
    op.create_table(
        "happenings",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("room", sa.String(200), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.UniqueConstraint("source", "id", name="one_happening_per_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("happenings_by_time", "happenings", ["at", "number"])
    op.create_index("happenings_by_room", "happenings", ["room", "at", "number"])
    op.create_index("happenings_by_place", "happenings", ["place", "at", "number"])
    op.create_index("happenings_by_what", "happenings", ["what", "at", "number"])
    op.create_index("happenings_by_arrival", "happenings", ["received_at", "source", "seq"])
    op.create_table(
        "passed",
        sa.Column("source", sa.String(32), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
    )
    op.create_index("passed_by_arrival", "passed", ["received_at"])
