"""The first tables: devices, readings, sums, settings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """All of them."""
    op.create_table(
        "devices",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("room", sa.String(32), nullable=False),
        sa.Column("device", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.UniqueConstraint("room", "device", "kind", name="one_line_per_device"),
    )
    op.create_table(
        "readings",
        sa.Column("device", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True),
        sa.Column("value", sa.Double),
        sa.Column("fault", sa.String(16)),
        sqlite_with_rowid=False,
    )
    for name, fresh in (("five_minutes", sa.SmallInteger), ("hours", sa.Integer)):
        op.create_table(
            name,
            sa.Column("device", sa.Integer, primary_key=True),
            sa.Column("start", sa.BigInteger, primary_key=True),
            sa.Column("low", sa.Double),
            sa.Column("high", sa.Double),
            sa.Column("mean", sa.Double),
            sa.Column("known", sa.Double, nullable=False),
            sa.Column("on", sa.Double, nullable=False),
            sa.Column("faulty", sa.Double, nullable=False),
            sa.Column("fresh", fresh, nullable=False),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "settings",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
