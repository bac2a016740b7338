"""The history over a million events: the page as a browser gets it, HTTPS and HTML and all, with every filter.

`python -m tests.bench.history_page [--rows N] [--record FILE]`; `measure` is for the bench.
"""

import argparse
import asyncio
import shutil
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import uvloop
from rich.console import Console
from rich.table import Table

from tests.bench import floors, load, million
from tests.demo import Client, Demo

LIMITS = ("default", "login_code", "login_code_account", "login", "pages", "reads", "exports")
TURNS = 30
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
    "a row out of the middle": {"row": "500000"},
    "deep in the past": {"after": "1000"},
}


def install(demo: Demo, record: Path) -> None:
    """Give a stopped home this record instead of its own."""
    for path in (demo.var / "data").glob("alerts.sqlite3*"):
        path.unlink()
    shutil.copyfile(record, demo.var / "data" / "alerts.sqlite3")


async def measure(demo: Demo, turns: int = TURNS) -> Table:
    """Ask a running home, whose limits are lifted, everything as each role; p50 and p99 in milliseconds."""
    table = Table("the history's page", "lines", *(f"{role}: p50 / p99 ms" for role in ("master", "member", "guest")))
    clients = {role: demo.client(role) for role in ("master", "member", "guest")}
    worst = 0.0
    for name, query in QUESTIONS.items():
        cells, lines = [], ""
        for client in clients.values():
            figures, page = await _asking(demo, client, query, turns)
            lines = lines or str(page.count(b'id="row-'))
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


def main() -> None:
    """Make a home and a record, and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.history_page", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="events in the record")
    parser.add_argument("--record", type=Path, help="a record made before by tests.bench.million")
    arguments = parser.parse_args()
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as folder:
        record = arguments.record or Path(folder) / "record.sqlite3"
        if arguments.record is None:
            with console.status(f"writing {arguments.rows:,} events …"):
                million.fill(record, arguments.rows)
        demo = Demo(Path(folder) / "var")
        demo.start()
        demo.stop()
        demo.lift_limits(*LIMITS)
        install(demo, record)
        demo.start()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                console.print(runner.run(measure(demo)))
        finally:
            demo.stop()


if __name__ == "__main__":
    main()
