"""Home Assistant's recorder with the same states: its own tables, filled in bulk, and what its queries of them take.

Run by an interpreter that has it (`pip install homeassistant`, Python 3.13), and by itself: it imports nothing of ours.
The queries are read to their last row, and nothing is made of them; ours are measured with their whole page.
"""

import importlib
import math
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

FIVE_MINUTES, HOUR, DAY = 300, 3600, 86_400
_BATCH = 100_000
_STATE = "state, last_updated_ts, metadata_id, attributes_id, origin_idx, context_id_bin"
_SUM = "created_ts, start_ts, metadata_id, mean, min, max"
_HISTORY = (
    "SELECT state, last_updated_ts FROM states WHERE metadata_id = ? AND last_updated_ts > ? AND last_updated_ts < ? "
    "ORDER BY metadata_id, last_updated_ts"
)
_STATISTICS = (
    "SELECT start_ts, mean, min, max FROM statistics WHERE metadata_id = ? AND start_ts >= ? AND start_ts < ? "
    "ORDER BY start_ts"
)


def temperature(moment: int, number: int) -> float:
    """As readings_fill says it."""
    value = 19 + 3 * math.sin(moment / 86_400 * 2 * math.pi) + 6 * math.sin(moment / 31_557_600 * 2 * math.pi)
    return round(value + (0.2 if number % 2 else -0.2) + number % 3 / 10, 1)


def tables(file: str) -> None:
    """Its schema, by its own words."""
    schema: Any = importlib.import_module("homeassistant.components.recorder.db_schema")
    alchemy: Any = importlib.import_module("sqlalchemy")
    schema.Base.metadata.create_all(alchemy.create_engine(f"sqlite:///{file}"))


def states(entity: int, begin: int, end: int, every: int) -> Iterator[tuple[object, ...]]:
    """One entity's states, with the columns that it fills today."""
    for number, moment in enumerate(range(begin, end, every)):
        text = ("on" if number % 2 else "off") if entity == 1 else str(temperature(moment, number))
        yield (text, moment + 0.137, entity, 1, 0, moment.to_bytes(8) * 2)


def statistics(entity: int, begin: int, end: int, step: int) -> Iterator[tuple[object, ...]]:
    """Its sums over `step` seconds; of temperatures alone, as it has none of what is on."""
    for start in range(begin, end, step):
        values = [temperature(moment, (moment - begin) // 60) for moment in range(start, start + step, 60)]
        yield (float(start + step), float(start), entity, sum(values) / len(values), min(values), max(values))


def fill(file: str, begin: int, end: int, every: int, entities: int) -> None:
    """All of them."""
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            'INSERT INTO state_attributes (hash, shared_attrs) VALUES (1, \'{"unit_of_measurement":"°C"}\')'
        )
        for entity in range(1, entities + 1):
            connection.execute(
                "INSERT INTO states_meta (metadata_id, entity_id) VALUES (?, ?)", (entity, f"sensor.air_{entity}")
            )
            source = states(entity, begin, end, every)
            while batch := list(islice(source, _BATCH)):
                connection.executemany(f"INSERT INTO states ({_STATE}) VALUES (?, ?, ?, ?, ?, ?)", batch)
            if entity > 1:
                for table, step, first in (
                    ("statistics", HOUR, begin),
                    ("statistics_short_term", FIVE_MINUTES, end - 10 * DAY),
                ):
                    lines = statistics(entity, first, end, step)
                    connection.executemany(f"INSERT INTO {table} ({_SUM}) VALUES (?, ?, ?, ?, ?, ?)", lines)


def ask(file: str, name: str, query: str, *given: object) -> None:
    """Print what a query takes, read to its end: p50 and p99 of a hundred."""
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        took = []
        for _ in range(101):
            started = time.perf_counter()
            rows = connection.execute(query, given).fetchall()
            took.append(1000 * (time.perf_counter() - started))
    took = sorted(took[1:])
    print(
        f"  Home Assistant, {name}: {len(rows):,} rows, p50 {took[50]:.1f} ms, p99 {took[99]:.1f} ms, its queries alone"
    )


def purge(file: str, end: int) -> None:
    """What it leaves by its own default, in a file beside: ten days of states, and every hour's statistics."""
    with sqlite3.connect(file, isolation_level=None) as connection:
        connection.execute("DELETE FROM states WHERE last_updated_ts < ?", (end - 10 * DAY,))
        connection.execute("VACUUM INTO ?", (f"{file}.purged",))


def main() -> None:
    """`hass_recorder.py FILE BEGIN END EVERY ENTITIES`."""
    file, (begin, end, every, entities) = sys.argv[1], map(int, sys.argv[2:6])
    tables(file)
    fill(file, begin, end, every, entities)
    for name, days in (("a day of states", 1), ("a week of states", 7), ("a month of states", 30)):
        ask(file, name, _HISTORY, 2, end - days * DAY, end)
    ask(file, "a year of hourly statistics", _STATISTICS, 2, end - 365 * DAY, end)
    shutil.copyfile(file, f"{file}.whole")
    purge(file, end)


if __name__ == "__main__":
    main()
