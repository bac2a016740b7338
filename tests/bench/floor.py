"""What a command costs at least: bare processes that do only what is promised of one, beside this tree's own home.

Both use one broker and take turns, so that the difference is what the product does besides, and shows what a target can
ask for at all. `python -m tests.bench floor`.
"""

import contextlib
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import bare_parts, floors, resident, sides, turns
from tests.bench.bare_parts import ANSWERS, EVENTS, GATEWAY, RECEIPTS, RECORDER, ROOM, STATES, WISHES
from tests.bench.sides import SERVICES, Side
from tests.bench.verdicts import Figure, table
from tests.claimed import free_port

CLIENTS = (1, 8, 32)
_ROUNDS = 3
_WARM_SECONDS = 1.0
_MAY = {
    GATEWAY: ((WISHES, EVENTS), (STATES, ANSWERS, RECEIPTS)),
    ROOM: ((STATES, ANSWERS), (WISHES,)),
    RECORDER: ((RECEIPTS,), (EVENTS,)),
}
"""What each of them says, and what it hears."""


class Floor:
    """The bare processes on the broker of a running home, measured as a home is."""

    name = "floor"

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


def measure(seconds: float, console: Console) -> Iterator[Table]:
    """One table for each number of clients."""
    with tempfile.TemporaryDirectory(prefix="homesystem-bench-") as name:
        folder = Path(name)
        side = Side("here", folder / "here")
        console.print("a home of its own, and bare processes on its broker …")
        side.create()
        for process, (sends, hears) in _MAY.items():
            floors.allow(side.demo.home, process, sends, hears)
        with side.running(), standing(side, folder) as floor:
            wishes = {side.name: side.wishes(f"{sides.ROOM}/lamp", ("on", "off")), floor.name: floor.wishes()}
            both: tuple[turns.Home, turns.Home] = (floor, side)
            for home in both:
                turns.run(home, wishes[home.name], max(CLIENTS), _WARM_SECONDS)
            for home in both:
                home.idle = turns.look_at_idle(home)
            for clients in CLIENTS:
                console.print(f"{clients} clients, {_ROUNDS} rounds …")
                runs: dict[str, list[turns.Run]] = {home.name: [] for home in both}
                for number in range(_ROUNDS):
                    for home in both if number % 2 == 0 else both[::-1]:
                        runs[home.name].append(turns.run(home, wishes[home.name], clients, seconds))
                yield _table(clients, runs[floor.name], runs[side.name])


def _table(clients: int, floor: list[turns.Run], here: list[turns.Run]) -> Table:
    def cost(*names: str) -> Callable[[turns.Run], float]:
        return lambda run: 1000 * sum(run.cpu[name] for name in names) / len(run.volley.figures.latencies)

    asked: list[tuple[str, str, Callable[[turns.Run], float]]] = [("CPU, all of them", "ms", cost(*SERVICES))]
    asked += [(f"  {name}", "ms", cost(name)) for name in SERVICES]
    asked += [
        ("commands per second", "/s", lambda run: run.volley.figures.rate),
        ("p50", "ms", lambda run: run.volley.figures.quantile(0.5)),
        ("p99", "ms", lambda run: run.volley.figures.quantile(0.99)),
    ]
    lines = [Figure(label, unit, [of(run) for run in here], [of(run) for run in floor]) for label, unit, of in asked]
    return table(f"A command, {clients} at a time: what is promised alone, and the home", "floor", lines)
