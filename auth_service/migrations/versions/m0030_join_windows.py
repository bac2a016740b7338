"""Rooms join by a pasted line: for ten minutes a name waits for the machine that brings the token."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """No room waits at first."""
    op.create_table(
        "join_windows",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("opened_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
        sa.Column("resumes", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("key_hash", sa.String(64)),
        sa.Column("joined_at", sa.DateTime),
        sa.Column("certificate", sa.Text),
    )
