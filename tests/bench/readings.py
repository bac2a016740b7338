"""Ten million readings: how long any chart takes, in pages and in the API, and how large the database is.

Beside it, where `--hass PYTHON` names an interpreter with Home Assistant, its recorder with the same states.
"""

import asyncio
import contextlib
import shutil
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import uvloop
from rich.console import Console
from rich.table import Table

from alert_service.readings.rooms import Device
from alert_service.readings.store import open_store
from shared.words.names import Kind
from tests.bench import floors, load, readings_fill
from tests.bench.readings_fill import Saying
from tests.demo import Demo

READINGS = 10_000_000
EVERY = 60
TURNS = 100
LIMITS = ("default", "login_code", "login_code_account", "login", "pages", "reads")
LAMP, AIR = Device("hall", "lamp", Kind.SWITCH), Device("hall", "air", Kind.TEMPERATURE)
_AIR = '\n[[devices]]\nid = "air"\nname = "Air"\nkind = "temperature"\nsource = "ds18b20"\n'
SENSORS = 20
_DAY = 86_400


def devices() -> list[tuple[Device, Saying]]:
    """A lamp and a sensor that are asked for, and sensors beside them, among whose readings they have to be found."""
    sensors = [(Device("hall", f"air-{n}", Kind.TEMPERATURE), readings_fill.temperature) for n in range(SENSORS - 2)]
    return [(LAMP, readings_fill.switch), (AIR, readings_fill.temperature), *sensors]


def measure(console: Console, readings: int = READINGS, hass: str | None = None) -> list[Table]:
    """Fill, ask, and weigh."""
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(Path(folder) / "var")
        demo.start()
        demo.stop()
        demo.lift_limits(*LIMITS)
        sizes = Table("on the disk", "readings", "MB", "bytes a reading")
        end = int(time.time()) // 3600 * 3600
        begin = end - readings // SENSORS * EVERY // 3600 * 3600
        with console.status(f"{readings:,} readings, every row kept …"):
            whole = Path(folder) / "whole.sqlite3"
            count = _fill(whole, begin, end)
        _size(sizes, "every reading, and the sums", whole, count)
        with console.status("the same, rows for ten days and five minutes for ninety …"):
            usual = Path(folder) / "usual.sqlite3"
            shutil.copyfile(whole, usual)
            _prune(usual, end)
        _size(sizes, "as it is kept usually", usual, count)
        if hass is not None:
            with console.status("Home Assistant's recorder with the same states …"):
                file, told = _home_assistant(hass, Path(folder), begin, end)
            console.print(told)
            _size(sizes, "Home Assistant: every state, and its statistics", file.with_suffix(".sqlite3.whole"), count)
            _size(sizes, "Home Assistant: as it purges by itself", file.with_suffix(".sqlite3.purged"), count)
        _install(demo, whole)
        config = demo.var / "readings.toml"
        config.write_text(
            config.read_text().replace("_days = 10\n", "_days = 3650\n").replace("_days = 90\n", "_days = 3650\n")
        )
        hall = demo.var / "agents" / "hall.toml"
        hall.write_text(hall.read_text() + _AIR)
        demo.start()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                asked = runner.run(_ask(demo, begin, end))
        finally:
            demo.stop()
    return [sizes, asked]


def _fill(database: Path, begin: int, end: int) -> int:
    async def make() -> None:
        await (await open_store(f"sqlite+aiosqlite:///{database}")).close()

    asyncio.run(make())
    return readings_fill.fill(database, devices(), begin, end, EVERY)


def _prune(database: Path, end: int) -> None:
    """As the recorder's own removal leaves it."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM readings WHERE at < ?", ((end - 10 * _DAY) * 1000,))
        connection.execute("DELETE FROM five_minutes WHERE start < ?", (end - 90 * _DAY,))
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("VACUUM")


def _size(table: Table, name: str, file: Path, count: int) -> None:
    size = file.stat().st_size
    table.add_row(name, f"{count:,}", f"{size / 1e6:,.0f}", f"{size / count:.1f}")


def _install(demo: Demo, database: Path) -> None:
    for path in (demo.var / "data").glob("readings.sqlite3*"):
        path.unlink()
    shutil.copyfile(database, demo.var / "data" / "readings.sqlite3")


def questions(begin: int, end: int) -> dict[str, str]:
    """Every chart of the newest and of the oldest day, and the API with odd steps."""
    newest, oldest = (time.strftime("%Y-%m-%d", time.gmtime(at)) for at in (end, begin + _DAY))
    found = {
        f"{device.id}'s {span}, {name}": f"/readings/{device.room}/{device.id}?{urlencode({'span': span, 'at': at})}"
        for device in (LAMP, AIR)
        for name, at in (("newest", newest), ("oldest", oldest))
        for span in ("day", "week", "month", "year")
    }
    hour = 3600
    for name, since, until, step in (
        ("API, a day by 47 s", end - _DAY, end, 47),
        ("API, the oldest day by 61 s", begin, begin + _DAY, 61),
        ("API, a week by 311 s", end - 7 * _DAY, end, 311),
        ("API, everything by 5 h", begin, end, 5 * hour),
        ("API, everything, no step", begin, end, None),
        ("API, an hour by 2 s", end - hour, end, 2),
    ):
        asked = {"since": f"{_moment(since)}", "until": f"{_moment(until)}"} | (
            {} if step is None else {"step": str(step)}
        )
        for device in (LAMP, AIR):
            found[f"{device.id}'s {name}"] = f"/api/v1/readings/{device.room}/{device.id}?{urlencode(asked)}"
    return found


async def _ask(demo: Demo, begin: int, end: int) -> Table:
    client = demo.client("master")
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies)
    trusted = floors.trusting(demo.var / "pki" / "web-ca.crt")
    connection = load.Connection(demo.ports["HTTPS"], trusted, {"Cookie": cookies, "Accept": "text/html"})
    await connection.open()
    table = Table("asked for", "kB", "first ms", "p50 ms", "p99 ms")
    worst = 0.0
    for name, path in questions(begin, end).items():
        took, answer = [], b""
        for _ in range(TURNS + 1):
            started = time.perf_counter()
            status, _, answer = await connection.ask("GET", path, b"")
            took.append(1000 * (time.perf_counter() - started))
            assert status == 200, (path, answer)
        ordered = sorted(took)
        p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
        worst = max(worst, p99)
        table.add_row(name, f"{len(answer) / 1000:.0f}", f"{took[0]:.1f}", f"{p50:.1f}", f"{p99:.1f}")
    await connection.close()
    table.add_row("the slowest p99", "", "", "", f"{worst:.1f}")
    return table


def _home_assistant(python: str, folder: Path, begin: int, end: int) -> tuple[Path, str]:
    """Its recorder's own tables, filled with the same states, and what it said; a process of its interpreter."""
    file = folder / "home-assistant.sqlite3"
    script = Path(__file__).with_name("hass_recorder.py")
    command = [python, str(script), str(file), str(begin), str(end), str(EVERY), str(SENSORS)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return file, ended.stdout


def _moment(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
