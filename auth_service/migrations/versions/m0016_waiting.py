"""What rooms would loosen is decided by the master user; devices have safe actions and were named at some time."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0013"


def upgrade() -> None:
    """What is safe, and when each device was named, its room says the next time."""
    op.add_column("devices", sa.Column("safe_actions", sa.String(64)))
    op.add_column("devices", sa.Column("named_at", sa.DateTime))
    op.create_table(
        "refused_loosenings",
        sa.Column("room", sa.String(32), sa.ForeignKey("rooms.id"), primary_key=True),
        sa.Column("device", sa.String(32), primary_key=True),
        sa.Column("field", sa.String(16), primary_key=True),
        sa.Column("stands", sa.String(16), primary_key=True),
        sa.Column("wanted", sa.String(16), primary_key=True),
        sa.Column("refused_at", sa.DateTime, nullable=False),
    )
