"""The chain of events, the outbox and its recipients."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "events",
        sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(200), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("room", sa.String(200), nullable=False),
        sa.Column("issuer", sa.String(200), nullable=False),
        sa.Column("user_id", sa.String(200)),
        sa.Column("user_name", sa.String(200)),
        sa.Column("address", sa.String(200)),
        sa.Column("command_id", sa.String(200)),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary(16)),
        sa.Column("people", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("source", "id", name="one_row_per_event"),
    )
    op.create_index("events_by_seq", "events", ["source", "seq"])
    op.create_index("events_by_user", "events", ["user_id", "row"])
    op.create_index("events_by_place", "events", ["place", "row"])
    op.create_index("events_by_room", "events", ["room", "row"])
    op.create_index("events_by_command", "events", ["command_id"])
    op.create_table(
        "letters",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("due_at", sa.Float),
        sa.Column("intent", sa.Integer),
        sa.Column("outcome", sa.Integer),
        sa.Column("heard", sa.String(16)),
        sa.Column("ended", sa.String(16)),
        sa.Column("refused_by_gateway", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("released_at", sa.Float),
        sa.Column("digest", sa.Integer, sa.ForeignKey("letters.id"), index=True),
        sa.UniqueConstraint("key", "round", name="one_letter_per_key"),
    )
    op.create_index("letters_by_state", "letters", ["state", "due_at"])
    op.create_index("letters_by_source", "letters", ["source", "released_at"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("letter", sa.Integer, sa.ForeignKey("letters.id"), nullable=False),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.Column("refusal", sa.String(200)),
        sa.Column("permanent", sa.Boolean, nullable=False),
        sa.Column("sent_at", sa.Float),
        sa.UniqueConstraint("letter", "recipient", name="one_delivery_per_recipient"),
    )
    op.create_index("deliveries_by_state", "deliveries", ["state", "next_at"])
    op.create_table("recipients", sa.Column("email", sa.String(254), primary_key=True))
    op.create_table(
        "settings",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
