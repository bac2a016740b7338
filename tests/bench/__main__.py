"""Runs the bench and prints its tables; nothing here asserts a time.

`python -m tests.bench [agent|floor|history|memory|readings|scale|sign_ins] [--seconds N] [--hass PYTHON]`
`python -m tests.bench [floor|profile] --against REV [--quick]`
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from tests.bench import (
    against,
    agent,
    commanding,
    floor,
    floors,
    history,
    libraries,
    load,
    profile,
    readings,
    resident,
    scale,
    sides,
    signing_in,
)
from tests.demo import Client, Demo

CLIENTS = (1, 8, 32)
LIMITS = ("default", "login_code", "login_code_account", "login", "commands", "commands_device", "reads")
console = Console(width=110)


async def bench(demo: Demo, seconds: float, ready_seconds: float, again_seconds: float) -> None:
    """Every figure of the table, one after the other."""
    home = demo.home
    context = floors.trusting(home.pki / "web-ca.crt")
    client = demo.client("member")
    table = Table("clients", "MQTT echo", "bare HTTPS", "command", "p50 / floors", "p99 / floors", "rate / MQTT floor")
    single: load.Figures | None = None
    for clients in CLIENTS:
        with console.status(f"{clients} clients: floors, then commands …"):
            echo = await floors.mqtt_echo(home, clients, seconds)
            https = await floors.bare_https(home, clients, seconds, context)
            command = await commanding.plain(demo, client, clients, seconds)
        single = single or command
        table.add_row(
            str(clients),
            _cell(echo),
            _cell(https),
            _cell(command),
            f"{command.quantile(0.5) / (echo.quantile(0.5) + https.quantile(0.5)):.2f}×",
            f"{command.quantile(0.99) / (echo.quantile(0.99) + https.quantile(0.99)):.2f}×",
            f"{100 * command.rate / echo.rate:.0f} %",
        )
    console.print(table)
    assert single is not None
    await critical(demo, client, seconds, single)
    weigh(demo)
    starts(demo, ready_seconds, again_seconds)


async def critical(demo: Demo, client: Client, seconds: float, plain: load.Figures) -> None:
    """What critical devices cost."""
    with console.status("critical commands …"):
        found = await commanding.posting(demo, client, 1, seconds, "hall/front-door", ("unlock", "lock"))
    table = Table("one client", "p50 ms", "p99 ms", "against an ordinary command")
    table.add_row("ordinary command", f"{plain.quantile(0.5):.2f}", f"{plain.quantile(0.99):.2f}", "")
    extra = found.quantile(0.5) - plain.quantile(0.5)
    table.add_row(
        "critical command", f"{found.quantile(0.5):.2f}", f"{found.quantile(0.99):.2f}", f"{extra:+.2f} ms at p50"
    )
    console.print(table)


def weigh(demo: Demo) -> None:
    """Memory of each process, after all that."""
    table = Table("process", "resident MB", "proportional MB")
    total = 0.0
    for name, pid in sorted(demo.pids().items()):
        resident_mb, proportional = resident.megabytes(pid)
        total += proportional
        table.add_row(name, f"{resident_mb:.1f}", f"{proportional:.1f}")
    table.add_row("the suite", "", f"{total:.1f}")
    console.print(table)


def starts(demo: Demo, ready_seconds: float, again_seconds: float) -> None:
    """Cold starts."""
    with console.status("cold starts …"):
        gateway = sorted(resident.gateway_start(demo) for _ in range(5))
        agent = sorted(resident.agent_start(demo, "kitchen") for _ in range(5))
    table = Table("cold start", "seconds")
    table.add_row("gateway, to its first answer (median of 5)", f"{gateway[2]:.2f}")
    table.add_row("agent, to online (median of 5)", f"{agent[2]:.2f}")
    table.add_row("the demo's first start, certificates and users included", f"{ready_seconds:.2f}")
    table.add_row("the demo's second start, to ready", f"{again_seconds:.2f}")
    console.print(table)


def _cell(figures: load.Figures) -> str:
    return f"{figures.quantile(0.5):.2f} / {figures.quantile(0.99):.2f} ms, {figures.rate:,.0f}/s"


def one_agent(seconds: float) -> None:
    """One agent alone, idle and at work."""
    with tempfile.TemporaryDirectory() as folder, console.status("an agent with 20 devices …"):
        table = agent.measure(Path(folder), max(seconds, agent.LEAST_SECONDS))
    console.print(table)


def the_floor(seconds: float, revision: str | None = None) -> None:
    """What is promised of a command alone, beside a home."""
    for table in floor.measure(seconds, console, revision):
        console.print(table)


def memory(_: float) -> None:
    """What processes weigh, and what their libraries alone do."""
    for table in libraries.measure(console):
        console.print(table)


def whole_record(_: float) -> None:
    """A million acts and a million happenings: the check, and every page."""
    with tempfile.TemporaryDirectory() as folder:
        for table in history.measure(Path(folder), console):
            console.print(table)


def ten_million(_: float, hass: str | None = None) -> None:
    """Ten million readings: charts, the API, and what lies on the disk."""
    for table in readings.measure(console, hass=hass):
        console.print(table)


def many_devices(_: float) -> None:
    """A home of 10,000 devices."""
    with tempfile.TemporaryDirectory(prefix="homesystem-bench-") as folder:
        for table in scale.measure(Path(folder), console):
            console.print(table)


def whole_home(seconds: float) -> None:
    """Start a demo home of its own, measure, stop it."""
    print("cells: p50 / p99, answers per second")
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(Path(folder) / "var")
        first = demo.start()
        demo.stop()
        demo.lift_limits(*LIMITS)
        floors.admit(demo.home)
        second = demo.start()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(bench(demo, seconds, first, second))
        except BaseException:
            print(demo.logs())
            raise
        finally:
            demo.stop()


def people_signing_in(seconds: float) -> None:
    """What people who sign in cost everybody else's commands, and what answers to them tell of accounts."""
    for table in signing_in.measure(seconds, LIMITS, console):
        console.print(table)


SECTIONS = {
    "floor": the_floor,
    "agent": one_agent,
    "history": whole_record,
    "memory": memory,
    "readings": ten_million,
    "scale": many_devices,
    "sign_ins": people_signing_in,
}
"""What is measured beside the whole home; each is told how many seconds a run lasts."""


def main() -> None:
    """Everything, or one section."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "section",
        nargs="?",
        choices=(*SECTIONS, "profile"),
        help="only this one; without it, everything",
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each run lasts")
    parser.add_argument("--hass", metavar="PYTHON", help="with readings: an interpreter that has Home Assistant")
    parser.add_argument("--against", metavar="REV", help="measure this tree beside that commit, in turns")
    parser.add_argument("--quick", action="store_true", help="few and short rounds, with --against")
    arguments = parser.parse_args()
    # As Ctrl-C: what was started is ended, and what was made is removed.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("bench: told to end; nothing of it stays"))
    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    if arguments.section == "profile":
        for table in profile.measure(arguments.against, arguments.seconds, console):
            console.print(table)
        return
    if arguments.section == "floor":
        the_floor(arguments.seconds, arguments.against)
        return
    if arguments.against is not None:
        against.compare(arguments.against, against.QUICK if arguments.quick else against.WHOLE, console)
        return
    if arguments.section is None:
        whole_home(arguments.seconds)
    sections = SECTIONS | {"readings": partial(ten_million, hass=arguments.hass)}
    for name, measure in sections.items():
        if arguments.section in {None, name}:
            measure(arguments.seconds)


if __name__ == "__main__":
    try:
        main()
    except (sides.UnknownRevisionError, profile.NoProfilerError) as failure:
        sys.exit(f"bench: {failure}")
    except KeyboardInterrupt:
        sys.exit("bench: ended; nothing of it stays")
