"""A record of a million rows: how long a page of the history takes, and the check of the whole, in what memory.

The rows are a real chain, made by the service's own code. The check runs in a process of its own, as
`homesystem audit verify` does, so that its memory is its own.
"""

import asyncio
import itertools
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import insert

from alert_service import chain, history
from alert_service.forms import Flat
from alert_service.narrowing import Scope
from alert_service.store import open_store
from alert_service.tables import events
from deploy import home as homes
from shared.database import Store
from shared.messages import AuditEvent, UserRef, Who, utc
from shared.names import Outcome, Severity
from tests.house import make_home

ROWS = 1_000_000
_START = 1_780_000_000.0
_SECONDS_APART = 30.0
_BATCH = 2_000
_PEOPLE = tuple(UserRef(id=f"u{number}", name=f"Person {number}") for number in range(8))
_PLACES = tuple(f"room-{room}/device-{device}" for room in range(12) for device in range(6))
_PAGES = 50
_SCOPES = {
    "the newest page, everything": (Scope(), None),
    "a page in the middle, everything": (Scope(), ROWS // 2),
    "a member's newest page (own acts and three rooms)": (
        Scope(user="u1", places=("room-1/*", "room-2/*", "room-3/*")),
        None,
    ),
    "a guest's newest page (own acts and one device)": (Scope(user="u2", places=("room-4/device-2",)), None),
    "a page of somebody who did nothing, nowhere": (Scope(user="nobody", places=("nowhere/x",)), None),
}


def measure(folder: Path, console: Console, rows: int = ROWS) -> Table:
    """Fill a record, ask for pages, check it."""
    home = make_home(folder)
    homes.lay_out(home)
    homes.seal(home)
    table = Table("the record", "figure")
    asyncio.run(_fill_and_page(home, console, rows, table))
    with console.status("the check …"):
        seconds, peak = _verify(home)
    table.add_row("check of the whole (audit verify)", f"{seconds:.1f} s, {rows / seconds:,.0f} rows/s")
    table.add_row("peak memory of the check", f"{peak:.0f} MB")
    table.add_row("the database", f"{(home.var / 'data' / 'alerts.sqlite3').stat().st_size / 1e6:.0f} MB")
    return table


async def _fill_and_page(home: homes.Home, console: Console, rows: int, table: Table) -> None:
    store = await open_store(f"sqlite+aiosqlite:///{home.var}/data/alerts.sqlite3")
    try:
        began = time.monotonic()
        with console.status(f"{rows:,} rows …"):
            await _fill(store, rows)
        table.add_row(f"{rows:,} rows appended in bulk", f"{rows / (time.monotonic() - began):,.0f} rows/s")
        for name, (scope, after) in _SCOPES.items():
            taken = [await _page(store, scope, after) for _ in range(_PAGES)]
            table.add_row(name, f"p50 {statistics.median(taken):.1f} ms, most {max(taken):.1f} ms")
    finally:
        await store.close()


async def _fill(store: Store, rows: int) -> None:
    made = _chain(rows)
    for _ in range(0, rows, _BATCH):
        batch = [flat._asdict() for flat in itertools.islice(made, _BATCH)]
        async with store.write() as connection:
            await connection.execute(insert(events), batch)


def _chain(rows: int) -> Iterator[Flat]:
    head = chain.GENESIS
    for row in range(1, rows + 1):
        at = utc(_START + row * _SECONDS_APART)
        made = chain.append(
            "gateway" if row % 2 else _PLACES[row % len(_PLACES)].partition("/")[0],
            _event(row),
            received_at=at,
            salt=row.to_bytes(chain.SALT_BYTES, "big"),
            row=row,
            previous=head,
        )
        head = made.hash
        flat = chain.flat(made)
        yield flat._replace(clock=flat.received_at)


def _event(row: int) -> AuditEvent:
    """An act as the house sees them: every third one has something in its detail, every tenth is critical."""
    return AuditEvent(
        id=f"{row:032x}",
        seq=row,
        at=utc(_START + row * _SECONDS_APART),
        what=("device:on", "device:off", "device:unlock")[row % 3],
        where=_PLACES[row // 2 % len(_PLACES)],
        who=Who(issuer="gateway", user=_PEOPLE[row // 2 % len(_PEOPLE)], address=f"192.0.2.{row % 250}"),
        command_id=f"{row // 2:032x}",
        outcome=Outcome.ASKED if row % 2 else Outcome.EXECUTED,
        severity=Severity.CRITICAL if row % 10 == 0 else Severity.INFO,
        detail={"reason": "bench"} if row % 3 == 0 else {},
    )


async def _page(store: Store, scope: Scope, after: int | None) -> float:
    """Milliseconds for one page of fifty."""
    began = time.perf_counter()
    async with store.read() as connection:
        await history.page(connection, scope, limit=50, after=after)
    return 1000 * (time.perf_counter() - began)


def _verify(home: homes.Home) -> tuple[float, float]:
    """Seconds and peak MB of `homesystem audit verify`, its start among them."""
    told = "import resource, sys; print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    script = f"import atexit; atexit.register(lambda: exec({told!r})); from deploy.__main__ import main; main()"
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", script, "audit", "verify"],
        env={"HOMESYSTEM_VAR": str(home.var), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - began
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "The record is whole" in ended.stdout
    found = re.search(r"peak (\d+)", ended.stdout)
    assert found is not None
    return seconds, int(found[1]) * 1024 / 1e6
