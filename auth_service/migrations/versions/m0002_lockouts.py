"""The master user may lock a device out."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Every device that is known is not locked out."""
    op.add_column("devices", sa.Column("locked_out", sa.Boolean, nullable=False, server_default=sa.false()))
