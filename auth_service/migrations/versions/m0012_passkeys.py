"""Passkeys, as factors of another kind, and the challenges of sign-ins by them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Nobody has one yet."""
    op.add_column("factors", sa.Column("credential", sa.Text))
    op.add_column("factors", sa.Column("credential_hash", sa.String(64)))
    op.add_column("factors", sa.Column("public_key", sa.Text))
    op.add_column("factors", sa.Column("sign_count", sa.BigInteger))
    op.add_column("factors", sa.Column("challenge", sa.String(64)))
    op.create_index("factors_by_credential", "factors", ["credential_hash"], unique=True)
    op.create_table(
        "challenges",
        sa.Column("place_hash", sa.String(64), primary_key=True),
        sa.Column("challenge", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
    )
