"""Letters go to whom a rule says, by more ways than mail."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """What is known of the recipients stays; they were all master users."""
    op.add_column("letters", sa.Column("audience", sa.Text))
    op.execute("UPDATE letters SET audience = 'masters'")
    op.add_column("deliveries", sa.Column("way", sa.String(32), nullable=False, server_default="mail"))
    op.drop_index("deliveries_by_state", "deliveries")
    op.create_index("deliveries_by_way", "deliveries", ["way", "state", "next_at"])
    known = op.get_bind().execute(sa.text("SELECT email FROM recipients")).scalars().all()
    op.drop_table("recipients")
    made = op.create_table(
        "recipients",
        sa.Column("id", sa.String(254), primary_key=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("master", sa.Boolean, nullable=False),
    )
    op.bulk_insert(made, [{"id": email, "email": email, "master": True} for email in known])
