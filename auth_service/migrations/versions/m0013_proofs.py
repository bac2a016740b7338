"""When a strong factor was shown last in a session, and how devices are confirmed by the master user's will."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Nobody has shown one; every device is confirmed as its room says."""
    op.add_column("sessions", sa.Column("proved_at", sa.DateTime))
    op.add_column("devices", sa.Column("confirm_by", sa.String(16), nullable=False, server_default="none"))
