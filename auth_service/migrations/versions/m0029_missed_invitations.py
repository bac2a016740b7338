"""Codes that are typed at invitations that are not open are counted, as those at open ones are."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """One row for the home; nobody counted before."""
    table = op.create_table(
        "missed_invitations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("codes", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(table, [{"id": 1, "codes": 0}])
