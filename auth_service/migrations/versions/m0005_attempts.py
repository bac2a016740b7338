"""Attempts at signing in have a name, by which the hub's own command makes a code for one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Codes that were mailed before have none; their time is over in ten minutes."""
    op.add_column("codes", sa.Column("attempt", sa.String(16), nullable=False, server_default=""))
    op.add_column("codes", sa.Column("address", sa.String(200), nullable=False, server_default=""))
    op.create_index("ix_codes_attempt", "codes", ["attempt"])
