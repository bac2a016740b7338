"""Whether everyone has to have a strong factor."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Nobody has to, until a master user says so."""
    made = op.create_table(
        "demands",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("strong_factor", sa.Boolean, nullable=False),
    )
    op.bulk_insert(made, [{"id": 1, "strong_factor": False}])
