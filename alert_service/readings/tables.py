"""The recorder's tables: what each device said, and its sums over five minutes and over hours.

Each table of readings lies in the order of its key, so that what one device said in some time is a few pages in a row.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

devices = Table(
    "devices",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("room", String(32), nullable=False),
    Column("device", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    UniqueConstraint("room", "device", "kind", name="one_line_per_device"),
)

readings = Table(
    # From `at` on it was so. Without value and fault nothing is known: a gap.
    "readings",
    metadata,
    Column("device", Integer, primary_key=True),
    Column("at", BigInteger, primary_key=True),  # milliseconds since 1970
    Column("value", Double),
    Column("fault", String(16)),
    sqlite_with_rowid=False,
)


def _sums(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("device", Integer, primary_key=True),
        Column("start", BigInteger, primary_key=True),  # seconds since 1970
        Column("low", Double),
        Column("high", Double),
        Column("mean", Double),
        Column("known", Double, nullable=False),  # seconds
        Column("on", Double, nullable=False),
        Column("faulty", Double, nullable=False),
        Column("fresh", SmallInteger if name == "five_minutes" else Integer, nullable=False),
        sqlite_with_rowid=False,
    )


five_minutes = _sums("five_minutes")
hours = _sums("hours")

settings = Table(
    # `known_until` (milliseconds): we listened up to then. `summed_until`, `hours_until` (seconds): so far sums stand.
    "settings",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
