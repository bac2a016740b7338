"""Grants begin at a moment and may be for some actions only; gateways are told whose changed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Grants of before have begun already, and are for all that their devices do."""
    op.add_column("grants", sa.Column("since", sa.DateTime))
    op.add_column("grants", sa.Column("actions", sa.String(64)))
    op.create_table(
        "changed_rights",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.String(32), nullable=False),
    )
