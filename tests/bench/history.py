"""A record of a million rows: how long the check of the whole takes, and in what memory; its pages are history_page's.

The check runs in a process of its own, as `homesystem audit verify` does, so that its memory is its own.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.folder import home as homes
from tests.bench import million
from tests.house import make_home

ROWS = 1_000_000


def measure(folder: Path, console: Console, rows: int = ROWS) -> Table:
    """Fill a record, and check it."""
    home = make_home(folder)
    homes.lay_out(home)
    homes.seal(home)
    table = Table("the record", "figure")
    record = home.var / "data" / "alerts.sqlite3"
    began = time.monotonic()
    with console.status(f"{rows:,} rows …"):
        million.fill(record, rows)
    table.add_row(f"{rows:,} rows appended in bulk", f"{rows / (time.monotonic() - began):,.0f} rows/s")
    with console.status("the check …"):
        seconds, peak = _verify(home)
    table.add_row("check of the whole (audit verify)", f"{seconds:.1f} s, {rows / seconds:,.0f} rows/s")
    table.add_row("peak memory of the check", f"{peak:.0f} MB")
    table.add_row("the database", f"{record.stat().st_size / 1e6:.0f} MB")
    return table


def _verify(home: homes.Home) -> tuple[float, float]:
    """Seconds and peak MB of `homesystem audit verify`, its start among them."""
    # Not ru_maxrss, which remembers what our own process held before it became that one.
    told = "print([line for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"
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
    found = re.search(r"VmHWM:\s+(\d+) kB", ended.stdout)
    assert found is not None
    return seconds, int(found[1]) * 1024 / 1e6
