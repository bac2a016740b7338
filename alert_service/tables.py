"""The tables, as SQLAlchemy sees them; migrations/ makes them.

Event times are whole microseconds since 1970, exact, because they are part of the chain; the outbox's times are
seconds. `place` is the event's `where`, which SQL would not have as a name.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("row", Integer, primary_key=True, autoincrement=False),  # the position in the chain, from 1, no gaps
    Column("source", String(32), nullable=False),
    Column("id", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("what", String(200), nullable=False),
    Column("place", String(200), nullable=False),
    Column("room", String(200), nullable=False),  # what stands before the slash of `place`: for the history's filter
    Column("issuer", String(200), nullable=False),
    Column("user_id", String(200)),
    Column("user_name", String(200)),
    Column("address", String(200)),
    Column("command_id", String(200)),
    Column("outcome", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("detail", Text, nullable=False),  # a JSON object of texts
    Column("salt", LargeBinary(16)),  # gone once the person was erased
    Column("people", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("source", "id", name="one_row_per_event"),
    Index("events_by_seq", "source", "seq"),
    Index("events_by_user", "user_id", "row"),
    Index("events_by_place", "place", "row"),
    Index("events_by_room", "room", "row"),
    Index("events_by_command", "command_id"),
)

letters = Table(
    # The outbox: one row per letter, from the first event that calls for it.
    "letters",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(8), nullable=False),  # command, event or digest
    Column("key", String(64), nullable=False),
    Column("round", Integer, nullable=False),
    Column("source", String(32), nullable=False),
    Column("state", String(8), nullable=False),  # waiting, ready, released, gathered (in a digest), merged or silent
    Column("due_at", Float),
    Column("intent", Integer),  # rows of the chain
    Column("outcome", Integer),
    Column("heard", String(16)),
    Column("ended", String(16)),
    Column("refused_by_gateway", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("released_at", Float),
    Column("digest", Integer, ForeignKey("letters.id"), index=True),
    Column("audience", Text),  # words of policy.Decision, once it is decided
    UniqueConstraint("key", "round", name="one_letter_per_key"),
    Index("letters_by_state", "state", "due_at"),
    Index("letters_by_source", "source", "released_at"),
)

deliveries = Table(
    # One letter to one person, or by another way than mail, which then is named in `recipient`.
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("letter", Integer, ForeignKey("letters.id"), nullable=False),
    Column("recipient", String(254), nullable=False),
    Column("state", String(8), nullable=False),  # pending, sent, gathered (in a digest) or void (no recipient any more)
    Column("attempts", Integer, nullable=False),
    Column("next_at", Float, nullable=False),
    Column("refusal", String(200)),  # what the mail server last said against it
    Column("permanent", Boolean, nullable=False),
    Column("sent_at", Float),
    Column("way", String(32), nullable=False, server_default="mail"),
    UniqueConstraint("letter", "recipient", name="one_delivery_per_recipient"),
    Index("deliveries_by_way", "way", "state", "next_at"),
)

recipients = Table(
    # Whom the auth service last named: every user who may sign in.
    "recipients",
    metadata,
    Column("id", String(254), primary_key=True),
    Column("email", String(254), nullable=False),
    Column("master", Boolean, nullable=False),
)

settings = Table(
    "settings",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
