"""The home may be locked down."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """One row for the home, which is not locked down."""
    table = op.create_table(
        "lockdown",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("changed_at", sa.DateTime),
    )
    op.bulk_insert(table, [{"id": 1, "active": False, "changed_at": None}])
