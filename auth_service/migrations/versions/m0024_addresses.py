"""Changes of an e-mail address: those under way, by session, and the addresses that people had before."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Nobody wants another one yet."""
    op.create_table(
        "email_changes",
        sa.Column("session_id", sa.String(32), sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "former_addresses",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("user_id", sa.String(32), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("changed_at", sa.DateTime, nullable=False),
        sa.Column("told_at", sa.DateTime),
    )
    op.create_index("ix_former_addresses_user_id", "former_addresses", ["user_id"])
