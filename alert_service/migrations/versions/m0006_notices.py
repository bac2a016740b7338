"""Letters about happenings: what rules watch and gather, and what such letters say."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nothing happened yet that a rule could tell."""
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("happening", sa.String(64), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("told_at", sa.BigInteger),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("rule", "source", "happening", name="one_notice_per_happening"),
    )
    op.create_index("notices_by_state", "notices", ["state", "due_at"])
    op.create_index("notices_by_place", "notices", ["rule", "place", "told_at"])
    op.create_table(
        "notice_sums",
        sa.Column("rule", sa.String(64), primary_key=True),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "tidings",
        sa.Column("letter", sa.Integer, sa.ForeignKey("letters.id"), primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
    )
