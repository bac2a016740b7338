"""A million happenings beside a million acts, made at once, and every filter of the history over both of them."""

import argparse
import asyncio
import random
import sqlite3
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from alert_service.history import history
from alert_service.history.narrowing import Scope
from alert_service.store import open_store
from alert_service.tables import happenings
from shared.keeping.database import Store
from shared.words.internal_alerts import AuditFilter
from shared.words.names import Outcome
from tests.bench import load, million

TURNS = 30
_DAYS = 31
_WHATS = ("device:motion", "device:opened", "device:closed", "device:pressed")
_WEIGHTS = (80, 9, 9, 2)
_LAST = million.BEGIN + 1_000_000 * million.STEP
_SCOPES = {
    "master": Scope(),
    "member": Scope(user=million.PEOPLE[0].id, rooms=True),
    "guest": Scope(user="guest", places=("hall/front-door", "kitchen/lamp", "garage/motion")),
}
_FROM, _TO = _LAST - timedelta(days=20), _LAST - timedelta(days=19)
QUESTIONS = {
    "everything": AuditFilter(),
    "doors": AuditFilter(what="device:opened,device:closed"),
    "motion": AuditFilter(what="device:motion"),
    "bells": AuditFilter(what="device:pressed"),
    "rooms away and back": AuditFilter(what="room:away,room:back"),
    "what never was": AuditFilter(what="device:never"),
    "a room": AuditFilter(room="hall"),
    "doors of a room": AuditFilter(room="hall", what="device:opened"),
    "away in a room": AuditFilter(room="hall", what="room:*"),
    "a device": AuditFilter(device="garage/motion"),
    "unlocked": AuditFilter(what="device:unlock"),
    "unlocked at a lamp": AuditFilter(what="device:unlock", device="hall/lamp"),
    "unlocked in the garage by whom was never there": AuditFilter(
        what="device:unlock", room="garage", user=million.NEVER_IN_THE_GARAGE.id
    ),
    "sign-ins": AuditFilter(what="session:*"),
    "sign-ins in a room": AuditFilter(what="session:*", room="hall"),
    "a person's sign-ins that failed": AuditFilter(what="account:*", user=million.PEOPLE[0].id, outcome=Outcome.FAILED),
    "all of devices": AuditFilter(what="device:*"),
    "all of devices that failed": AuditFilter(what="device:*", outcome=Outcome.FAILED),
    "a person": AuditFilter(user=million.PEOPLE[1].id),
    "an outcome": AuditFilter(outcome=Outcome.EXPIRED),
    "a day": AuditFilter(since=_FROM, until=_TO),
    "a day's motion in a room": AuditFilter(room="kitchen", what="device:motion", since=_FROM, until=_TO),
}


def fill(path: Path, count: int = 1_000_000) -> None:
    """Put so many happenings of the record's last month into the database at `path`."""
    dice = random.Random(2)
    names = [column.name for column in happenings.columns if column.name != "number"]
    marks = ", ".join(f":{name}" for name in names)
    first = _LAST.timestamp() - _DAYS * 86_400

    def one(number: int) -> dict[str, object]:
        at = round((first + number * _DAYS * 86_400 / count) * 1e6)
        room = dice.choice(million.ROOMS)
        if number % 20_000 == 0:
            what, place, source = dice.choice(("room:away", "room:back")), room, "alerts"
        else:
            what = dice.choices(_WHATS, _WEIGHTS)[0]
            place, source = f"{room}/{'motion' if what == 'device:motion' else 'front-door'}", room
        told = {"source": source, "id": f"h{number}", "seq": number + 1, "at": at, "until": at, "times": 1}
        return told | {"received_at": at, "what": what, "place": place, "room": room, "event": ""}

    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # a bench's copy
        connection.execute("PRAGMA cache_size = -400000")
        connection.execute("BEGIN")
        connection.executemany(f"INSERT INTO happenings ({', '.join(names)}) VALUES ({marks})", map(one, range(count)))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def measure(path: Path, turns: int = TURNS) -> Table:
    """Every question as each role, as the alert service answers it; p50 and p99 in milliseconds."""
    store = await open_store(f"sqlite+aiosqlite:///{path}")
    table = Table("acts and happenings", "things", *(f"{role}: p50 / p99 ms" for role in _SCOPES))
    worst = 0.0
    for name, wanted in QUESTIONS.items():
        cells, things = [], ""
        for scope in _SCOPES.values():
            figures, count = await _asking(store, scope, wanted, turns)
            things = things or str(count)
            worst = max(worst, figures.quantile(0.99))
            cells.append(f"{figures.quantile(0.5):.1f} / {figures.quantile(0.99):.1f}")
        table.add_row(name, things, *cells)
    table.add_row("the slowest p99", "", f"{worst:.1f}")
    await store.close()
    return table


async def _asking(store: Store, scope: Scope, wanted: AuditFilter, turns: int) -> tuple[load.Figures, int]:
    took, count = [], 0
    for _ in range(turns + 1):
        begin = time.perf_counter()
        async with store.read() as connection:
            page = await history.page(connection, scope, limit=50, after=None, wanted=wanted, happenings="too")
        took.append(time.perf_counter() - begin)
        count = len(page.events) + len(page.happenings)
    return load.Figures(1, sorted(took[1:]), sum(took[1:])), count


def main() -> None:
    """Make both, and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.story", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="acts, and as many happenings")
    rows = parser.parse_args().rows
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.sqlite3"
        with console.status(f"{rows:,} acts …"):
            million.fill(path, rows)
        acts = path.stat().st_size
        with console.status(f"{rows:,} happenings …"):
            fill(path, rows)
        console.print(asyncio.run(measure(path)))
        console.print(f"on disk: acts {acts / 1e6:.0f} MB, happenings {(path.stat().st_size - acts) / 1e6:.0f} MB more")


if __name__ == "__main__":
    main()
