"""The form of each row; removed days, erased people, and what daily letters say."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Rows that exist keep form 1."""
    op.add_column("events", sa.Column("form", sa.Integer, nullable=False, server_default="1"))
    op.create_table(
        "days",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("first_row", sa.Integer, nullable=False),
        sa.Column("last_row", sa.Integer, nullable=False),
        sa.Column("before", sa.String(64), nullable=False),
        sa.Column("after", sa.String(64), nullable=False),
        sa.Column("told_in", sa.Integer, nullable=False),
    )
    op.create_table(
        "erased",
        sa.Column("user_id", sa.String(200), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "dailies",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("letter", sa.Integer, sa.ForeignKey("letters.id"), nullable=False, unique=True),
        sa.Column("figures", sa.Text, nullable=False),
    )
