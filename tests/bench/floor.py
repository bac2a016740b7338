"""What a command costs at least: bare processes that do only what is promised of one, beside this tree's own home.

All use one machine and take turns, so that the difference is what the product does besides, and shows what a target
can ask for at all. `python -m tests.bench floor [--against REV]`: with another commit's home, and what is asked of us.
"""

import contextlib
import ssl
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import bare_parts, floors, resident, sides, turns
from tests.bench.against import TARGETS
from tests.bench.bare_parts import ANSWERS, EVENTS, GATEWAY, RECEIPTS, RECORDER, ROOM, STATES, WISHES
from tests.bench.sides import SERVICES, Side
from tests.bench.verdicts import Figure, shown, table
from tests.claimed import free_port

CLIENTS = (1, 8, 32)
_ROUNDS = 3
_ROUNDS_BESIDE = 5
_WARM_SECONDS = 1.0
_LAMP, _SWITCHED = f"{sides.ROOM}/lamp", ("on", "off")
_MAY = {
    GATEWAY: ((WISHES, EVENTS), (STATES, ANSWERS, RECEIPTS)),
    ROOM: ((STATES, ANSWERS), (WISHES,)),
    RECORDER: ((RECEIPTS,), (EVENTS,)),
}
"""What each of them says, and what it hears."""
_Runs = Mapping[str, Sequence[turns.Run]]
"""What was measured, by the names of the homes, round by round."""


class Floor:
    """The bare processes on the broker of a running home, measured as a home is."""

    name = "least"

    def __init__(self, side: Side, folder: Path, pids: Mapping[str, int], port: int) -> None:
        self.idle: Mapping[str, float] = dict.fromkeys(SERVICES, 0.0)
        self.port = port
        self.trust: ssl.SSLContext = side.trust
        self._pids = {**pids, "broker": side.pid("broker")}
        self._spool = folder / bare_parts.SPOOL

    def cpu(self) -> dict[str, float]:
        """Of the three, and of the broker; nobody is needed in the place of the auth service."""
        return {name: resident.cpu_seconds(pid) for name, pid in self._pids.items()} | {"auth": 0.0}

    def unreceipted(self) -> int:
        """By the file of the bare gateway."""
        return sides.waiting(self._spool)

    def wishes(self) -> list[bytes]:
        """The requests that switch its one device."""
        bodies = (b'{"action":"on"}', b'{"action":"off"}')
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        return [head % len(body) + body for body in bodies]


@contextlib.contextmanager
def standing(side: Side, folder: Path) -> Iterator[Floor]:
    """The bare processes are up meanwhile."""
    home, port = side.demo.home, free_port()
    pki, mqtt = str(home.pki), str(home.settings.mqtt_port)
    with contextlib.ExitStack() as stack:
        starts = {  # the gateway last: it asks at once
            "alerts": ("bare_recorder", pki, mqtt, str(folder)),
            "agent": ("bare_room", pki, mqtt, str(folder)),
            "gateway": ("bare_gateway", pki, mqtt, str(port), str(folder)),
        }
        pids = {
            name: stack.enter_context(floors.spawned(f"tests.bench.{module}", *arguments))
            for name, (module, *arguments) in starts.items()
        }
        yield Floor(side, folder, pids, port)


def measure(seconds: float, console: Console, revision: str | None = None) -> Iterator[Table]:
    """One table for each number of clients. Raises UnknownRevisionError."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="homesystem-bench-")))
        here = Side("here", folder / "here")
        homes = [here]
        if revision is not None:
            commit = sides.resolve(revision)
            console.print(f"making a worktree of {commit} with an environment of its own …")
            homes.append(Side(commit, folder / "there", stack.enter_context(sides.worktree(commit))))
        console.print("a home of its own, and bare processes on its broker …")
        for side in homes:
            side.create()
        for process, (sends, hears) in _MAY.items():
            floors.allow(here.demo.home, process, sends, hears)
        for side in homes:
            stack.enter_context(side.running())
        floor = stack.enter_context(standing(here, folder))
        wishes = {side.name: side.wishes(_LAMP, _SWITCHED) for side in homes} | {floor.name: floor.wishes()}
        yield from _rounds((floor, *homes), wishes, seconds, console)


def _rounds(
    homes: Sequence[turns.Home], wishes: Mapping[str, list[bytes]], seconds: float, console: Console
) -> Iterator[Table]:
    rounds = _ROUNDS if len(homes) == 2 else _ROUNDS_BESIDE
    for home in homes:
        turns.run(home, wishes[home.name], max(CLIENTS), _WARM_SECONDS)
    for home in homes:
        home.idle = turns.look_at_idle(home)
    for clients in CLIENTS:
        console.print(f"{clients} clients, {rounds} rounds …")
        runs: dict[str, list[turns.Run]] = {home.name: [] for home in homes}
        for number in range(rounds):
            for home in homes if number % 2 == 0 else homes[::-1]:
                runs[home.name].append(turns.run(home, wishes[home.name], clients, seconds))
        yield _table(clients, runs) if len(homes) == 2 else _beside(clients, runs, homes[-1].name)


def _cost(*names: str) -> Callable[[turns.Run], float]:
    return lambda run: 1000 * sum(run.cpu[name] for name in names) / len(run.volley.figures.latencies)


_ASKED: tuple[tuple[str, str, Callable[[turns.Run], float], str], ...] = (
    ("CPU, all of them", "ms", _cost(*SERVICES), "CPU, home"),
    *((f"  {name}", "ms", _cost(name), f"CPU, {name}") for name in SERVICES),
    ("commands per second", "/s", lambda run: run.volley.figures.rate, "rate"),
    ("p50", "ms", lambda run: run.volley.figures.quantile(0.5), "p50"),
    ("p99", "ms", lambda run: run.volley.figures.quantile(0.99), "p99"),
)
"""Each line: its words, its unit, what it is of a run, and as what a target names it."""


def _table(clients: int, runs: _Runs) -> Table:
    lines = [
        Figure(label, unit, [of(run) for run in runs["here"]], [of(run) for run in runs[Floor.name]])
        for label, unit, of, _ in _ASKED
    ]
    return table(f"A command, {clients} at a time: what is promised alone, and the home", Floor.name, lines)


def _beside(clients: int, runs: _Runs, commit: str) -> Table:
    """Both beside the other commit: what is, and what could be, in parts of what was."""
    columns = ("figure", commit, "here", Floor.name, f"here / {commit}", f"{Floor.name} / {commit}", "target")
    made = Table(*columns, title=f"A command, {clients} at a time", title_justify="left")
    for label, unit, of, called in _ASKED:
        values = {name: [of(run) for run in those] for name, those in runs.items()}
        target = TARGETS.get(f"{called}, {clients}") or (TARGETS.get(called) if clients == 1 else None)
        cells = [shown(values[name], unit) for name in (commit, "here", Floor.name)]
        for name in ("here", Floor.name):
            ratios = Figure(label, unit, values[name], values[commit]).ratios()
            cells.append(f"{statistics.median(ratios):.2f} ×" if ratios else "")
        made.add_row(label, *cells, str(target) if target else "")
    return made
