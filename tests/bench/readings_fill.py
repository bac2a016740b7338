"""Fills a recorder's database in bulk, as the recorder itself would have: rows and both kinds of sums."""

import contextlib
import math
import sqlite3
from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path

from alert_service.readings import sums
from alert_service.readings.quantities import Said
from alert_service.readings.rooms import Device
from alert_service.readings.sums import FIVE_MINUTES, HOUR
from alert_service.readings.timeline import Row

Saying = Callable[[int, int], float]
"""What a device says at a moment (seconds), as which of its readings."""
_PIECE_SECONDS = 86_400


def temperature(moment: int, number: int) -> float:
    """A day and a year go up and down, and no reading is like the one before."""
    value = 19 + 3 * math.sin(moment / 86_400 * 2 * math.pi) + 6 * math.sin(moment / 31_557_600 * 2 * math.pi)
    return round(value + (0.2 if number % 2 else -0.2) + number % 3 / 10, 1)


def switch(moment: int, number: int) -> float:
    """On and off in turn."""
    return float(number % 2)


def fill(database: Path, devices: Sequence[tuple[Device, Saying]], begin: int, end: int, every: int) -> int:
    """Give each device a reading `every` so many seconds, from one full hour to another; how many there are.

    In the order in which they would have come, all devices in turn: so the file is as full of holes as in a house.
    """
    lines = [(number, device.room, device.id, device.kind.value) for number, (device, _) in enumerate(devices, start=1)]
    saying: dict[Saying, list[int]] = {}
    for number, (_, said) in enumerate(devices, start=1):
        saying.setdefault(said, []).append(number)
    before: dict[Saying, list[Row]] = {said: [] for said in saying}
    count = 0
    # Closed in the end, so that nothing is left in a log beside the file.
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executemany("INSERT INTO devices VALUES (?, ?, ?, ?)", lines)
        for start in range(begin, end, _PIECE_SECONDS):
            stop = min(start + _PIECE_SECONDS, end)
            made: dict[str, list[tuple[object, ...]]] = {"readings": [], "five_minutes": [], "hours": []}
            for said, numbers in saying.items():
                moments = range(start, stop, every)
                rows = [Row(at * 1000 + 137, Said(said(at, (at - begin) // every))) for at in moments]
                fives = sums.of_rows([*before[said], *rows], range(start, stop + 1, FIVE_MINUTES), stop * 1000)
                hours = sums.merged(fives, range(start, stop + 1, HOUR))
                before[said] = rows[-1:]
                made["readings"] += [(n, row.at, row.said.value, row.said.fault) for row in rows for n in numbers]
                made["five_minutes"] += [(n, *one) for one in fives for n in numbers]
                made["hours"] += [(n, *one) for one in hours for n in numbers]
            for table, found in made.items():
                found.sort(key=itemgetter(1))
                places = ", ".join("?" * len(found[0]))
                connection.executemany(f"INSERT INTO {table} VALUES ({places})", found)
            count += len(made["readings"])
        told = {"known_until": end * 1000, "summed_until": end, "hours_until": end}
        connection.execute("DELETE FROM settings")
        connection.executemany("INSERT INTO settings VALUES (?, ?)", [(name, str(at)) for name, at in told.items()])
    return count
