"""A session knows from where it was last used, which tells whether somebody is at home."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Of older sessions that is known with their next use."""
    op.add_column("sessions", sa.Column("seen_from", sa.String(200), nullable=False, server_default=""))
