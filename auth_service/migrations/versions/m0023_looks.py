"""How the home is looked at: names, icons, order and hiding for everybody, and what each person says for themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Everything looks as it did."""
    for table in ("rooms", "devices"):
        op.add_column(table, sa.Column("home_name", sa.String(64)))
        op.add_column(table, sa.Column("icon", sa.String(16)))
        op.add_column(table, sa.Column("hidden", sa.Boolean, nullable=False, server_default=sa.false()))
        op.add_column(table, sa.Column("place", sa.Integer))
    op.add_column("users", sa.Column("looks", sa.Text))
