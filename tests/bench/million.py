"""A house's record of many years, made at once: a million events as they come, in the chain, in the real table."""

import asyncio
import itertools
import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alert_service.chain import chain
from alert_service.record import records
from alert_service.store import open_store
from alert_service.tables import events
from shared.words.messages import AuditEvent, UserRef, Who
from shared.words.names import Outcome, Severity

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=90)
"""Between two events: a million of them are nearly three years."""
ROWS = 1_000_000
PEOPLE = tuple(UserRef(id=f"{n:032x}", name=name) for n, name in enumerate(("Ada", "Ben", "Cleo", "Dana", "Eli"), 1))
NEVER_IN_THE_GARAGE = PEOPLE[1]
ROOMS = ("hall", "kitchen", "garage", *(f"room-{n}" for n in range(1, 10)))
DEVICES = ("lamp", "front-door", "blind", "kettle", "light")
_BATCH = 5_000
_LATE = 500
"""One event in so many waited in a spool, for up to three days."""


def told(number: int, dice: random.Random) -> tuple[str, AuditEvent]:
    """The event of that number, and who told it: mostly commands, some about people, a few refusals and failures."""
    at = BEGIN + number * STEP
    if number % _LATE == 0:
        at -= timedelta(hours=dice.uniform(2, 72))
    user = dice.choices(PEOPLE, (40, 30, 20, 9, 1))[0]
    if dice.random() < 0.08:
        return _of_people(number, at, user, dice)
    room = dice.choice(ROOMS)
    if user == NEVER_IN_THE_GARAGE and room == "garage":
        room = "kitchen"
    device = dice.choice(DEVICES)
    critical = device == "front-door"
    weights = (46, 46, 4, 2, 1.5, 0.5) if critical else (0, 94, 3, 2, 0.9, 0.1)
    outcomes = (Outcome.ASKED, Outcome.EXECUTED, Outcome.REJECTED, Outcome.EXPIRED, Outcome.UNKNOWN, Outcome.FAILED)
    outcome = dice.choices(outcomes, weights)[0]
    return "gateway", AuditEvent(
        id=f"e{number}",
        seq=number,
        at=at,
        what=f"device:{'unlock' if critical else 'on'}",
        where=f"{room}/{device}",
        who=Who(issuer="gateway", user=user, address="192.0.2.7"),
        command_id=f"c{number // 2 if critical else number}",
        outcome=outcome,
        severity=Severity.CRITICAL if critical else Severity.INFO,
        detail={},
    )


def _of_people(number: int, at: datetime, user: UserRef, dice: random.Random) -> tuple[str, AuditEvent]:
    failed = dice.random() < 0.1
    return "auth", AuditEvent(
        id=f"e{number}",
        seq=number,
        at=at,
        what="account:sign-in-failed" if failed else "session:started",
        where=f"user/{user.id}" if failed else f"session/{number:032x}",
        who=Who(issuer="gateway", user=None if failed else user, address="192.0.2.9"),
        outcome=Outcome.REJECTED if failed else Outcome.EXECUTED,
        severity=Severity.SECURITY if failed else Severity.INFO,
        detail={"browser": "Mozilla/5.0 (Android 14) Firefox/130.0"},
    )


def chained(rows: int, *, seed: int = 1) -> Iterator[chain.Row]:
    """The first `rows` rows of the chain; the same for the same seed."""
    dice = random.Random(seed)
    previous = chain.GENESIS
    for number in range(1, rows + 1):
        source, event = told(number, dice)
        made = chain.append(
            source,
            event,
            received_at=BEGIN + number * STEP + timedelta(milliseconds=20),
            salt=dice.randbytes(chain.SALT_BYTES),
            row=number,
            previous=previous,
        )
        previous = made.hash
        yield made


def fill(path: Path, rows: int = ROWS) -> None:
    """Make an alert service's database at `path` and put so many rows into it."""
    asyncio.run(_make(path))
    names = [column.name for column in events.columns]
    marks = ", ".join(f":{name}" for name in names)
    clock = 0
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # a bench's copy: made anew when the power fails
        connection.execute("PRAGMA cache_size = -400000")
        made = chained(rows)
        connection.execute("BEGIN")
        while some := list(itertools.islice(made, _BATCH)):
            values = records.columns(map(chain.flat, some), clock=clock)
            clock = int(str(values[-1]["clock"]))
            connection.executemany(f"INSERT INTO events ({', '.join(names)}) VALUES ({marks})", values)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def _make(path: Path) -> None:
    await (await open_store(f"sqlite+aiosqlite:///{path}")).close()
