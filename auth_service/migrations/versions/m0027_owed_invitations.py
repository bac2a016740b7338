"""Where an invitation's pages are, so that its letter can be written anew after a restart."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Of those that are open nobody knows it any more; they live 48 hours."""
    op.add_column("invitations", sa.Column("home", sa.String(300), nullable=False, server_default=""))
