"""A million acts and a million happenings: what lies on the disk, the check of the record, every page of the history.

The check runs in a process of its own, as `homesystem audit verify` does, so that its memory is its own.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import history_page, million, month
from tests.demo import Demo


def measure(folder: Path, console: Console, rows: int = million.ROWS) -> list[Table]:
    """Fill a record, check it, and let a home show it."""
    demo = Demo(folder / "var")
    demo.start()
    demo.stop()
    told = Table("the record", "figure")
    record = folder / "record.sqlite3"
    began = time.monotonic()
    with console.status(f"{rows:,} acts …"):
        million.fill(record, rows)
    told.add_row(f"{rows:,} acts appended in bulk", f"{rows / (time.monotonic() - began):,.0f} rows/s")
    acts = record.stat().st_size
    told.add_row("the database", f"{acts / 1e6:.0f} MB")
    with console.status(f"{rows:,} happenings …"):
        month.fill(record, rows, rows)
    told.add_row(f"{rows:,} happenings beside them", f"{(record.stat().st_size - acts) / 1e6:.0f} MB more")
    history_page.install(demo, record)
    with console.status("the check …"):
        seconds, peak = _verify(demo)
    told.add_row("check of the whole (audit verify)", f"{seconds:.1f} s, {rows / seconds:,.0f} rows/s")
    told.add_row("peak memory of the check", f"{peak:.0f} MB")
    with console.status("every page of the history …"):
        return [told, history_page.figures(demo)]


def _verify(demo: Demo) -> tuple[float, float]:
    """Seconds and peak MB of `homesystem audit verify`, its start among them."""
    # Not ru_maxrss, which remembers what our own process held before it became that one.
    told = "print([line for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"
    script = f"import atexit; atexit.register(lambda: exec({told!r})); from deploy.__main__ import main; main()"
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", script, "audit", "verify"],
        env={"HOMESYSTEM_VAR": str(demo.var), "PATH": "/usr/bin:/bin"},
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
