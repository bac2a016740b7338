"""What is asked of the outbox at every turn is found without a look at all letters that ever left."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Three indexes, one in the place of another."""
    op.drop_index("letters_by_release", "letters")
    op.create_index("letters_by_release", "letters", ["state", "released_at"])
    op.create_index("deliveries_by_sending", "deliveries", ["way", "state", "sent_at"])
    op.create_index("deliveries_by_letter", "deliveries", ["letter", "way", "state"])
