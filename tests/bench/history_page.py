"""The history over a million acts and a million happenings: the page as a browser gets it, with every filter."""

import asyncio
import contextlib
import re
import shutil
import sqlite3
import time
from pathlib import Path
from urllib.parse import urlencode

import uvloop
from rich.table import Table

from tests.bench import floors, load, million
from tests.demo import Client, Demo

LIMITS = ("default", "login_code", "login_code_account", "login", "pages", "reads", "exports")
TURNS = 100
"""Times that each question is asked, after one that is not counted."""
_ADA, _BEN = million.PEOPLE[0].id, million.NEVER_IN_THE_GARAGE.id
_LONG_AGO = {"since": "2024-06-01", "until": "2024-12-31"}
QUESTIONS: dict[str, dict[str, str]] = {
    "everything": {},
    "a person": {"user": _ADA},
    "nobody": {"user": "nobody"},
    "a room": {"room": "hall"},
    "a device": {"device": "hall/lamp"},
    "an outcome": {"outcome": "failed"},
    "long ago": _LONG_AGO,
    "the future": {"since": "2090-01-01"},
    "a person in a room": {"user": _ADA, "room": "hall"},
    "a person where they never were": {"user": _BEN, "room": "garage"},
    "the same, long ago": {"user": _BEN, "room": "garage", **_LONG_AGO},
    "a person at a device": {"user": _ADA, "device": "hall/front-door"},
    "what a person failed to do": {"user": _ADA, "outcome": "failed"},
    "what failed in a room": {"room": "hall", "outcome": "failed"},
    "a lamp that never asked": {"device": "hall/lamp", "outcome": "asked"},
    "the same, long ago ": {"device": "hall/lamp", "outcome": "asked", **_LONG_AGO},
    "all of it at once": {"user": _ADA, "room": "hall", "device": "hall/lamp", "outcome": "failed", **_LONG_AGO},
    "acts": {"what": "acts"},
    "happenings": {"what": "happenings"},
    "doors": {"what": "device:opened,device:closed"},
    "motion": {"what": "device:motion"},
    "bells": {"what": "device:pressed"},
    "rooms away and back": {"what": "room:away,room:back"},
    "what never was": {"what": "device:never"},
    "doors of a room": {"room": "hall", "what": "device:opened"},
    "away in a room": {"room": "hall", "what": "room:*"},
    "motion at a device": {"device": "garage/motion"},
    "unlocked": {"what": "device:unlock"},
    "unlocked at a lamp": {"what": "device:unlock", "device": "hall/lamp"},
    "unlocked in the garage by whom was never there": {"what": "device:unlock", "room": "garage", "user": _BEN},
    "sign-ins": {"what": "session:*"},
    "sign-ins in a room": {"what": "session:*", "room": "hall"},
    "a person's sign-ins that failed": {"what": "account:*", "user": _ADA, "outcome": "failed"},
    "all of devices that failed": {"what": "device:*", "outcome": "failed"},
    "a row out of the middle": {"row": "500000"},
    "the oldest page": {"after": "40"},
    "deep in the past": {"after": "1000"},
    "deep in the past, a person in a room": {"after": "500000", "user": _ADA, "room": "hall"},
}
_DEEP = {
    "deep in the month": {},
    "deep in the month, motion": {"what": "device:motion"},
    "deep in the month, bells of a room": {"what": "device:pressed", "room": "garage"},
    "deep in the month, happenings": {"what": "happenings"},
    "deep in the month, a person": {"user": _ADA},
    "deep in the month, sign-ins": {"what": "session:*"},
}
"""Asked from a happening out of the middle on, and from the oldest one."""


def figures(demo: Demo) -> Table:
    """Start a home that was given a record, and ask it everything as each role; p50 and p99 in milliseconds."""
    demo.lift_limits(*LIMITS)
    deep = cursors(_database(demo))
    demo.start()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(measure(demo, deep))
    finally:
        demo.stop()


def cursors(record: Path) -> dict[str, str]:
    """A happening out of the middle of them, and one near their end, as what a page begins after."""
    with contextlib.closing(sqlite3.connect(record)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM happenings").fetchone()
        found = {}
        for name, number in (("half of it", count // 2), ("the end of it", 40)):
            at = connection.execute("SELECT at FROM happenings ORDER BY at LIMIT 1 OFFSET ?", (number,)).fetchone()[0]
            found[name] = f"{at}.{number + 1}"
        return found


def install(demo: Demo, record: Path) -> None:
    """Give a stopped home this record instead of its own, of which nothing is to go by its age."""
    database = _database(demo)
    for path in database.parent.glob(f"{database.name}*"):
        path.unlink()
    shutil.copyfile(record, database)
    path = demo.var / "alerts.toml"
    text, count = re.subn(r"(?m)^#? ?(keep_days|happenings_days) = .*$", r"\1 = 3650", path.read_text())
    assert count == 2, f"{count} of two ages stand in {path}"
    path.write_text(text)


def _database(demo: Demo) -> Path:
    return demo.var / "data" / "alerts.sqlite3"


async def measure(demo: Demo, middles: dict[str, str], turns: int = TURNS) -> Table:
    """Ask a running home, whose limits are lifted, everything as each role; p50 and p99 in milliseconds."""
    deep = {
        f"{name}, from {where} on": {**query, "after": at}
        for where, at in middles.items()
        for name, query in _DEEP.items()
    }
    table = Table("the history's page", "lines", *(f"{role}: p50 / p99 ms" for role in ("master", "member", "guest")))
    clients = {role: demo.client(role) for role in ("master", "member", "guest")}
    worst = 0.0
    for name, query in (QUESTIONS | deep).items():
        cells, lines = [], ""
        for client in clients.values():
            figures, page = await _asking(demo, client, query, turns)
            lines = lines or str(page.count(b'<li class="line'))
            worst = max(worst, figures.quantile(0.99))
            cells.append(f"{figures.quantile(0.5):.1f} / {figures.quantile(0.99):.1f}")
        table.add_row(name, lines, *cells)
    table.add_row("the slowest p99", "", f"{worst:.1f}")
    return table


async def _asking(demo: Demo, client: Client, query: dict[str, str], turns: int) -> tuple[load.Figures, bytes]:
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies)
    trusted = floors.trusting(demo.var / "pki" / "web-ca.crt")
    connection = load.Connection(demo.ports["HTTPS"], trusted, {"Cookie": cookies, "Accept": "text/html"})
    await connection.open()
    path = f"/history?{urlencode(query)}"
    took, page = [], b""
    for _ in range(turns + 1):
        begin = time.perf_counter()
        status, _, page = await connection.ask("GET", path, b"")
        took.append(time.perf_counter() - begin)
        assert status == 200, (path, page)
    await connection.close()
    return load.Figures(1, sorted(took[1:]), sum(took[1:])), page
