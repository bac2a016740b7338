"""Rooms and clients that there are join again by a line: a window may be for a name that is in use."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Windows that are open are for new ones."""
    op.add_column("join_windows", sa.Column("renews", sa.Boolean, nullable=False, server_default=sa.false()))
