"""Trusted clients join by a pasted line, too: a window says as what a machine comes, and what it may then."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Windows that are open are rooms'."""
    op.add_column("join_windows", sa.Column("kind", sa.String(8), nullable=False, server_default="room"))
    op.add_column("join_windows", sa.Column("may", sa.Text, nullable=False, server_default=""))
