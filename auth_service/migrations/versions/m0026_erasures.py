"""Whose account was erased, until the alert service has erased them from the record, too."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0024"


def upgrade() -> None:
    """Nobody is left to be erased there."""
    op.create_table(
        "erasures",
        sa.Column("user_id", sa.String(32), primary_key=True),
        sa.Column("email", sa.String(254), primary_key=True),
    )
