"""Browsers that are somebody's own stay signed in for longer; and why a session ended can be told."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Every session so far is as short as it was, and of those that ended nothing is known."""
    op.add_column("sessions", sa.Column("own", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "endings",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("reason", sa.String(24), nullable=False),
        sa.Column("ended_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_endings_ended_at", "endings", ["ended_at"])
