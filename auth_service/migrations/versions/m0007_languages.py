"""Everyone may have letters in a language of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Who chose none reads the home's."""
    op.add_column("users", sa.Column("language", sa.String(8)))
