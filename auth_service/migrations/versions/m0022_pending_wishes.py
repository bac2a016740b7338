"""Wishes that wait for a second person, and the ids of the presses that put them up or agreed."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0020"


def upgrade() -> None:
    """Nothing is pending yet."""
    op.create_table(
        "pending_wishes",
        sa.Column("room", sa.String(32), primary_key=True),
        sa.Column("device", sa.String(32), primary_key=True),
        sa.Column("action", sa.String(16), primary_key=True),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("value", sa.Integer),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("user_id", sa.String(32), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("pressed_at", sa.DateTime, nullable=False),
        sa.Column("until", sa.DateTime, nullable=False),
    )
    op.create_index("ix_pending_wishes_user_id", "pending_wishes", ["user_id"])
    op.create_table(
        "presses",
        sa.Column("user_id", sa.String(32), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("wish", sa.String(200), nullable=False),
        sa.Column("stands_as", sa.String(64), nullable=False),
        sa.Column("acted", sa.Boolean, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_presses_at", "presses", ["at"])
