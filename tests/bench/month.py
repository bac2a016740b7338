"""A month's million happenings for a record of a million acts, made at once: what moves and rings in a busy house."""

import random
import sqlite3
from pathlib import Path

from alert_service.tables import happenings
from tests.bench import million

COUNT, DAYS = 1_000_000, 31
_WHATS = ("device:motion", "device:opened", "device:closed", "device:pressed")
_WEIGHTS = (80, 9, 9, 2)


def fill(path: Path, rows: int = million.ROWS, count: int = COUNT) -> None:
    """Put so many happenings of the last month of a record of so many rows into the database at `path`."""
    last = million.BEGIN + rows * million.STEP
    dice = random.Random(2)
    names = [column.name for column in happenings.columns if column.name != "number"]
    marks = ", ".join(f":{name}" for name in names)
    first = last.timestamp() - DAYS * 86_400

    def one(number: int) -> dict[str, object]:
        at = round((first + number * DAYS * 86_400 / count) * 1e6)
        room = dice.choice(million.ROOMS)
        if number % 20_000 == 0:
            what, place, source = dice.choice(("room:away", "room:back")), room, "alerts"
        else:
            what = dice.choices(_WHATS, _WEIGHTS)[0]
            place, source = f"{room}/{'motion' if what == 'device:motion' else 'front-door'}", room
        told = {"source": source, "id": f"h{number}", "seq": number + 1, "at": at, "until": at, "times": 1}
        event = "press" if what == "device:pressed" else ""
        return told | {"received_at": at, "what": what, "place": place, "room": room, "event": event}

    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # a bench's copy
        connection.execute("PRAGMA cache_size = -400000")
        connection.execute("BEGIN")
        connection.executemany(f"INSERT INTO happenings ({', '.join(names)}) VALUES ({marks})", map(one, range(count)))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
