"""Appointments: what is carried out at its time unless somebody vetoes it, and how long a device has one wait."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Nobody has an appointment yet."""
    op.add_column("devices", sa.Column("delay_minutes", sa.Integer, nullable=False, server_default="10"))
    op.add_column("pending_wishes", sa.Column("due", sa.DateTime))
    op.add_column("pending_wishes", sa.Column("session_id", sa.String(32)))
    op.add_column("pending_wishes", sa.Column("given_at", sa.DateTime))
