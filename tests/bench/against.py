"""This tree beside another commit on the same machine in one run: both homes up, in turns, with the ratios.

`python -m tests.bench --against REV [--quick]`, or `make bench AGAINST=REV`.
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from tests.bench import resident, sides, streams, turns
from tests.bench.sides import SERVICES, Side
from tests.bench.verdicts import Figure, Target, table

CLIENTS = (1, 8, 32)
LAMP, DOOR = f"{sides.ROOM}/lamp", f"{sides.ROOM}/front-door"
SWITCHED, LOCKED = ("on", "off"), ("unlock", "lock")
TARGETS = {
    "CPU, home, 32": Target(ratio_most=0.55),
    "CPU, gateway, 1": Target(ratio_most=0.45),
    "CPU, gateway, 32": Target(ratio_most=0.45),
    "CPU, agent, 1": Target(ratio_most=0.7),
    "CPU, agent, 32": Target(ratio_most=0.7),
    "rate, 8": Target(ratio_least=1.95, ratio_on_the_way=1.7),
    "rate, 32": Target(ratio_least=1.95, ratio_on_the_way=1.7),
    "p50": Target(ratio_most=0.7),
    "p99": Target(ratio_most=0.55),
    "streams, 200": Target(here_most=50.0),
    "critical": Target(not_more=True),
    "agent MB": Target(here_most=26.0),
    "suite MB": Target(here_most=220.0),
}


class Effort(NamedTuple):
    """How many rounds there are, how many seconds each run in one lasts, and what the streams are asked.

    `streams` are their numbers, each for so many `stream_rounds` of `events`; `lasting`: the one long run, in seconds.
    """

    rounds: int
    seconds: float
    streams: tuple[int, ...]
    stream_rounds: int
    events: int
    lasting: float


QUICK = Effort(rounds=3, seconds=1.0, streams=(20,), stream_rounds=1, events=30, lasting=3.0)
WHOLE = Effort(rounds=7, seconds=2.0, streams=(20, 200), stream_rounds=3, events=50, lasting=10.0)
_WARM_SECONDS = 1.0
_STARTS = 3
_EVENT_SECONDS = 0.1


class Values:
    """Every figure's values by its name: those of here, and those of there, a value a round."""

    def __init__(self) -> None:
        self._of: defaultdict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))

    def add(self, name: str, value: float, *, is_here: bool) -> None:
        """One more round's value."""
        self._of[name][0 if is_here else 1].append(value)

    def figure(self, name: str, label: str, unit: str) -> Figure:
        """The line of the table."""
        return Figure(label, unit, *self._of[name], TARGETS.get(name))


def compare(revision: str, effort: Effort, console: Console) -> None:
    """Measure and print. Raises UnknownRevisionError; whatever happens, nothing of it stays."""
    commit = sides.resolve(revision)
    console.print(f"making a worktree of {commit} with an environment of its own …")
    with sides.worktree(commit) as tree, tempfile.TemporaryDirectory(prefix="homesystem-bench-") as folder:
        here = Side("here", Path(folder) / "here")
        there = Side(commit, Path(folder) / "there", tree)
        values = Values()
        for side in (here, there):
            _alone(side, values, console, is_here=side is here)
        console.print("starting both homes …")
        with here.running(), there.running():
            for side in (here, there):
                side.idle = turns.look_at_idle(side)
            _rounds((here, there), effort, values, console)
            _streams((here, there), effort, values, console)
            _lasting((here, there), effort, values, console)
    for made in _tables(commit, effort, values):
        console.print(made)


def _alone(side: Side, values: Values, console: Console, *, is_here: bool) -> None:
    """What is looked at while the other home is not there: memory that both would share counts whole."""
    console.print(f"{side.name}: its first start, a little work, its weight …")
    side.create()
    with side.running() as took:
        values.add("start", took, is_here=is_here)
        for _ in range(_STARTS):
            values.add("gateway start", resident.gateway_start(side.demo), is_here=is_here)
            values.add("agent start", side.agent_start("kitchen"), is_here=is_here)
        side.look_again()
        _run(side, 8, _WARM_SECONDS, LAMP, SWITCHED)
        weights = side.weights()
        values.add("agent MB", weights[f"agent-{sides.ROOM}"][0], is_here=is_here)
        values.add("suite MB", sum(proportional for _, proportional in weights.values()), is_here=is_here)


def _rounds(both: tuple[Side, Side], effort: Effort, values: Values, console: Console) -> None:
    for side in both:
        _run(side, max(CLIENTS), _WARM_SECONDS, LAMP, SWITCHED)
    for number in range(effort.rounds):
        console.print(f"round {number + 1} of {effort.rounds} …")
        # Here goes first in one round and last in the next: whatever drifts, drifts for both.
        turns = both if number % 2 == 0 else both[::-1]
        for clients in CLIENTS:
            for side in turns:
                _ordinary(side, clients, effort.seconds, values, is_here=side is both[0])
        for side in turns:
            is_here = side is both[0]
            fired = _run(side, 1, effort.seconds, DOOR, LOCKED)
            values.add("critical p50", fired.volley.figures.quantile(0.5), is_here=is_here)
            plain = _run(side, 1, effort.seconds, LAMP, SWITCHED)
            extra = fired.volley.figures.quantile(0.5) - plain.volley.figures.quantile(0.5)
            values.add("critical", extra, is_here=is_here)


def _streams(both: tuple[Side, Side], effort: Effort, values: Values, console: Console) -> None:
    needed = -(-max(effort.streams) // streams.PER_USER)
    console.print(f"{needed} people sign in here and there, and open streams …")
    with ThreadPoolExecutor() as pool:
        people = dict(zip(both, pool.map(lambda side: streams.people(side, needed), both), strict=True))
    for count in effort.streams:
        for _ in range(effort.stream_rounds):
            for side in both:
                heard = streams.measure(side, people[side], count, effort.events, _EVENT_SECONDS)
                values.add(f"streams, {count}", heard.figures.quantile(0.95), is_here=side is both[0])
                values.add(f"streams, CPU, {count}", 1000 * heard.cpu, is_here=side is both[0])


def _lasting(both: tuple[Side, Side], effort: Effort, values: Values, console: Console) -> None:
    """So long that what a home puts off, to record it later, cannot be taken for speed."""
    console.print(f"{effort.lasting:.0f} s of commands at once, until all of them are recorded …")
    for side in both:
        fired = _run(side, max(CLIENTS), effort.lasting, LAMP, SWITCHED)
        values.add("lasting", fired.volley.figures.rate, is_here=side is both[0])
        values.add("recorded", fired.recorded_rate, is_here=side is both[0])


def _ordinary(side: Side, clients: int, seconds: float, values: Values, *, is_here: bool) -> None:
    fired = _run(side, clients, seconds, LAMP, SWITCHED)
    commands = len(fired.volley.figures.latencies)
    for name, used in fired.cpu.items():
        values.add(f"CPU, {name}, {clients}", 1000 * used / commands, is_here=is_here)
    values.add(f"CPU, home, {clients}", 1000 * sum(fired.cpu.values()) / commands, is_here=is_here)
    values.add(f"CPU, generator, {clients}", 1000 * fired.volley.cpu / commands, is_here=is_here)
    values.add(f"rate, {clients}", fired.volley.figures.rate, is_here=is_here)
    if clients == 1:
        values.add("p50", fired.volley.figures.quantile(0.5), is_here=is_here)
        values.add("p99", fired.volley.figures.quantile(0.99), is_here=is_here)


def _run(side: Side, clients: int, seconds: float, device: str, actions: tuple[str, str]) -> turns.Run:
    return turns.run(side, side.wishes(device, actions), clients, seconds)


def _tables(commit: str, effort: Effort, values: Values) -> Iterator[object]:
    for clients in CLIENTS:
        lines = [
            values.figure(f"CPU, {name}, {clients}", label, "ms")
            for name, label in (("home", "the whole home"), *((name, f"  {name}") for name in SERVICES))
        ]
        lines.append(values.figure(f"CPU, generator, {clients}", "(the generator)", "ms"))
        yield table(f"CPU per ordinary command at {_clients(clients)}, user + system", commit, lines)
    lines = [
        values.figure(f"rate, {clients}", f"commands per second, {_clients(clients)}", "/s") for clients in CLIENTS
    ]
    lines.append(values.figure("lasting", f"  for {effort.lasting:.0f} s, {_clients(max(CLIENTS))}", "/s"))
    lines.append(values.figure("recorded", "  and recorded as well", "/s"))
    for count in effort.streams:
        lines.append(values.figure(f"streams, {count}", f"from the broker to {count} streams, p95", "ms"))
        lines.append(values.figure(f"streams, CPU, {count}", "  the gateway's CPU for each event", "ms"))
    lines += [
        values.figure("p50", "p50, 1 client", "ms"),
        values.figure("p99", "p99, 1 client", "ms"),
        values.figure("critical p50", "a critical command, p50", "ms"),
        values.figure("critical", "  over an ordinary one", "ms"),
        values.figure("agent MB", "resident memory, agent", "MB"),
        values.figure("suite MB", "proportional memory, suite", "MB"),
        values.figure("start", "the home's start, to ready", "s"),
        values.figure("gateway start", "  the gateway's, to its first answer", "s"),
        values.figure("agent start", "  an agent's, to online", "s"),
    ]
    yield table("Commands, memory, start", commit, lines)


def _clients(count: int) -> str:
    return "1 client" if count == 1 else f"{count} clients"
