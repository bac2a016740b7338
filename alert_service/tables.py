"""The tables, as SQLAlchemy sees them; migrations/ makes them.

Event times are whole microseconds since 1970, exact, because they are part of the chain; the outbox's times are
seconds. `place` is the event's `where`, which SQL would not have as a name.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
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
    text,
)

from alert_service.chain.chain import LAST_MOMENT

metadata = MetaData()

LATE_MICROSECONDS = 3_600_000_000
OFF_CLOCK = text(f"at - clock NOT BETWEEN -{LATE_MICROSECONDS} AND {LATE_MICROSECONDS}")
"""Events that arrived late, or in whose time the clock was wrong: few, and with an index of their own.

It and the two below are literal, in queries too: a partial index is used only where its condition is.
"""
_IN_ROOMS, _ELSEWHERE = text("room <> ''"), text("room = ''")

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
    Column("room", String(200), nullable=False),  # the room of `place`, or '': for the history's filter
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
    Column("form", Integer, nullable=False, server_default="1"),  # the canonical form that the hash covers: forms.py
    # The highest `received_at` so far. It never falls, whatever the hub's clock does: times become rows by it.
    Column("clock", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("source", "id", name="one_row_per_event"),
    Index("events_by_seq", "source", "seq"),
    # One for each question of the history, and all of them in the order of the answer; more stand in PARTIAL. Behind
    # the row stands what is looked at in passing, so that nothing else of a row that does not fit is read.
    Index("events_by_what", "what", "outcome", "row", "room"),
    Index("events_by_room", "room", "outcome", "row", "what"),
    Index("events_by_place", "place", "outcome", "row", "what"),
    Index("events_by_user_and_room", "user_id", "room", "outcome", "row", "what"),
    Index("events_by_user_and_place", "user_id", "place", "outcome", "row", "what"),
    Index("events_by_clock", "clock", "row"),
    Index("events_by_command", "command_id"),
)

PARTIAL = (
    ("events_in_rooms", ("outcome", "row"), _IN_ROOMS),
    ("events_elsewhere", ("outcome", "row"), _ELSEWHERE),
    ("events_by_user_in_rooms", ("user_id", "outcome", "row", "what"), _IN_ROOMS),
    ("events_by_user_elsewhere", ("user_id", "outcome", "row", "what"), _ELSEWHERE),
    ("events_off_clock", ("at", "row"), OFF_CLOCK),
)
"""The indexes of `events` that hold only some of its rows: name, columns, condition."""


def with_partial_indexes() -> MetaData:
    """The tables with these indexes, for who compares them with a database.

    Whoever says `postgresql_where` takes the whole dialect into memory (2 MB), whichever database is in use.
    """
    present = {index.name for index in events.indexes}
    for name, columns, condition in PARTIAL:
        if name not in present:
            named = (events.c[column] for column in columns)
            Index(name, *named, sqlite_where=condition, postgresql_where=condition)
    return metadata


days = Table(
    # Whole days that were removed from the chain: what stood before and after them, so that it still joins.
    "days",
    metadata,
    Column("day", String(10), primary_key=True),  # UTC, by when the rows were received
    Column("first_row", Integer, nullable=False),
    Column("last_row", Integer, nullable=False),
    Column("before", String(64), nullable=False),
    Column("after", String(64), nullable=False),
    Column("told_in", Integer, nullable=False),  # the row that says so
)

happenings = Table(
    # What happened without anybody's doing. No row of the chain, which keeps a year and removes whole days.
    "happenings",
    metadata,
    # The order in which they came; a number never comes again.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("source", String(32), nullable=False),
    Column("id", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),  # the last of several that were summed, else as `at`
    Column("times", Integer, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("what", String(32), nullable=False),
    Column("place", String(200), nullable=False),
    Column("room", String(200), nullable=False),
    Column("event", String(16), nullable=False),  # how a button was pressed, or ''
    UniqueConstraint("source", "id", name="one_happening_per_event"),
    Index("happenings_by_time", "at", "number"),
    Index("happenings_by_room", "room", "what", "at", "number"),
    Index("happenings_by_place", "place", "what", "at", "number"),
    Index("happenings_by_what", "what", "at", "number"),
    Index("happenings_by_arrival", "received_at", "source", "seq"),
    sqlite_autoincrement=True,
)

passed = Table(
    # Numbers of happenings that came and are not kept (any more): nobody is asked for them again.
    "passed",
    metadata,
    Column("source", String(32), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("received_at", BigInteger, nullable=False),
    Index("passed_by_arrival", "received_at"),
)

erased = Table(
    # Users whose personal fields were erased: what is told of them later enters without them.
    "erased",
    metadata,
    Column("user_id", String(200), primary_key=True),
    Column("at", BigInteger, nullable=False),
)

letters = Table(
    # The outbox: one row per letter, from the first event that calls for it.
    "letters",
    metadata,
    Column("id", Integer, primary_key=True),
    # command, event, daily or notice (of happenings); digest, refused or together for one that gathers others
    Column("kind", String(8), nullable=False),
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
    Index("letters_by_release", "state", "released_at"),
)

dailies = Table(
    # What a daily letter says: as it was when it was made, however late it leaves.
    "dailies",
    metadata,
    Column("day", String(10), primary_key=True),  # in the home's zone
    Column("letter", Integer, ForeignKey("letters.id"), nullable=False, unique=True),
    Column("figures", Text, nullable=False),
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
    Index("deliveries_by_sending", "way", "state", "sent_at"),
    # Whole, so that no planner takes one of the others and looks through all years for each letter that waits.
    Index("deliveries_by_letter", "letter", "way", "state"),
)

notices = Table(
    # Happenings that a rule watches, or whose end is still to be told. Times are microseconds.
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("rule", String(64), nullable=False),
    Column("source", String(32), nullable=False),
    Column("happening", String(64), nullable=False),
    Column("place", String(200), nullable=False),
    Column("state", String(8), nullable=False),  # waiting, open (told, and it lasts), ended (yet to be told) or done
    Column("due_at", BigInteger),  # when it is looked at again by itself
    Column("told_at", BigInteger),
    Column("body", Text, nullable=False),  # noticing.rows.Watched
    UniqueConstraint("rule", "source", "happening", name="one_notice_per_happening"),
    Index("notices_by_state", "state", "due_at"),
    Index("notices_by_place", "rule", "place", "told_at"),
)

notice_sums = Table(
    # What a rule tells in one letter, because it is much or late; one a rule, until it is told.
    "notice_sums",
    metadata,
    Column("rule", String(64), primary_key=True),
    Column("due_at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),  # noticing.rows.Sum
)

tidings = Table(
    # What a letter about happenings says: as it was when it was made, however late it leaves.
    "tidings",
    metadata,
    Column("letter", Integer, ForeignKey("letters.id"), primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),  # telling.tidings.Letter
)

recipients = Table(
    # Whom the auth service last named: every user who may sign in.
    "recipients",
    metadata,
    Column("id", String(254), primary_key=True),
    Column("email", String(254), nullable=False),
    Column("master", Boolean, nullable=False),
    Column("language", String(8)),  # None: the home's
)

settings = Table(
    "settings",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)


def is_number(column: Column[int]) -> ColumnElement[bool]:
    """What a number of ours is: SQLite lets a hand write a text there, which is greater than every number."""
    return column.between(0, 2**63 - 1)


def is_moment(column: Column[int]) -> ColumnElement[bool]:
    """A time that can be told as one."""
    return column.between(0, LAST_MOMENT)
