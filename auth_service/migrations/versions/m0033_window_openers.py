"""A window that a person opened ends with what let them open it."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Of windows that are open nobody knows who opened them; they are over within minutes."""
    op.add_column("join_windows", sa.Column("opened_by", sa.String(32)))
