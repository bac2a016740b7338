"""Who reads in which language; and which letters left last, for what is told together."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Whoever has no language reads the home's."""
    op.create_index("letters_by_release", "letters", ["released_at"])
    op.add_column("recipients", sa.Column("language", sa.String(8)))
