"""What one room's agent with twenty devices costs, idle and at work: memory and CPU of its process, from /proc.

The broker is one of its own, with nobody else on it but a gateway, whose heartbeats and commands are real.
"""

import contextlib
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from deploy.folder.home import Home
from shared.words import messages, topics
from shared.words.messages import SERVICE_HEARTBEAT_SECONDS, Acknowledgement
from tests.bench import resident
from tests.house import DEADLINE, Broker, end, make_home, make_pki, until
from tests.integration.agent_parts import GATEWAY_HEARS, ROOT, Client

ROOM = "hall"
RATE = 50
MOST_MB = 30.0
MOST_IDLE_PERCENT = 1.0
LEAST_SECONDS = 10.0
"""Two heartbeats of a gateway."""
_KINDS = (
    ("switch", 6, ""),
    ("dimmer", 3, ""),
    ("lock", 1, "critical = true\n"),
    ("cover", 1, "travel_time = 20.0\n"),
    ("pulse", 1, "travel_time = 1.0\n"),
    ("contact", 3, ""),
    ("motion", 2, ""),
    ("button", 1, ""),
    ("temperature", 1, 'source = "bme280"\naddress = "1:0x76"\n'),
    ("humidity", 1, 'source = "bme280"\naddress = "1:0x76"\n'),
)
"""Twenty devices: of which kind how many, and what each needs besides its pins."""
_PINS = {"cover": 2, "temperature": 0, "humidity": 0}
"""How many, where it is not one."""
_PLAIN: tuple[tuple[str, str, dict[str, Any]], ...] = (
    *((f"switch-{number}", "on", {}) for number in range(6)),
    *((f"dimmer-{number}", "set", {"value": 40}) for number in range(3)),
    *((f"switch-{number}", "off", {}) for number in range(6)),
    *((f"dimmer-{number}", "off", {}) for number in range(3)),
)
"""Plain commands, one after the other and then again: each of them moves a pin."""


class Figures(NamedTuple):
    """Memory in MB (10^6 bytes) at the end of a stretch of time, and CPU in % of one core during it."""

    resident: float
    proportional: float
    cpu: float


class Work(NamedTuple):
    """How many commands were sent in how many seconds, and how they ended."""

    sent: int
    seconds: float
    outcomes: Counter[str]


def measure(folder: Path, seconds: float) -> Table:
    """Start broker, gateway and agent, look at the agent for `seconds` idle and as long at work, end them all."""
    home = make_home(folder)
    make_pki(home)
    broker = Broker(home)
    broker.start()
    try:
        with Client(broker, "gateway", *GATEWAY_HEARS) as gateway, _beating(gateway), _agent(home) as pid:
            until(lambda: any(said.topic == topics.availability(ROOM) for said in gateway.said), "the agent is online")
            time.sleep(1.0)  # its birth is no part of its idleness
            idle = _figures(pid, lambda: time.sleep(seconds))
            work: list[Work] = []
            busy = _figures(pid, lambda: work.append(_command(gateway, seconds)))
    finally:
        broker.stop()
    return _table(idle, busy, work[0])


@contextlib.contextmanager
def _agent(home: Home) -> Iterator[int]:
    """The agent's process, as the service manager starts it."""
    path = home.var / "bench-agent.toml"
    path.write_text(_configuration(home))
    command = [sys.executable, "-m", "device_agents", "--config", str(path)]
    with (home.var / "log" / "bench-agent.console").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        yield process.pid
    finally:
        end([process])


def _configuration(home: Home) -> str:
    head = f"""
room = "{ROOM}"
name = "Hall"
pins = "simulated"
sim_dir = "{home.var}/sim"
free_pins = [0, 1, 2, 3, 14, 15]
data = "{home.var}/data/agents"
log_dir = "{home.var}/log"
[broker]
identity = "{ROOM}"
port = {home.settings.mqtt_port}
[broker.tls]
ca = "{home.pki}/device-ca.crt"
certificate = "{home.pki}/{ROOM}.crt"
key = "{home.pki}/{ROOM}.key"
"""
    pin = 0
    for kind, count, settings in _KINDS:
        for number in range(count):
            own = list(range(pin, pin + _PINS.get(kind, 1)))
            pin += len(own)
            pins = f"pin = {own[0]}" if len(own) == 1 else f"pins = {own}" if own else ""
            head += f'[[devices]]\nid = "{kind}-{number}"\nname = "{kind}"\nkind = "{kind}"\n{pins}\n{settings}'
    return head


@contextlib.contextmanager
def _beating(gateway: Client) -> Iterator[None]:
    """The gateway's heartbeats, as often as a real one's."""
    stopped = threading.Event()

    def beat() -> None:
        gateway.heartbeat()
        while not stopped.wait(SERVICE_HEARTBEAT_SECONDS):
            gateway.heartbeat()

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _figures(pid: int, pass_time: Callable[[], object]) -> Figures:
    begin, used = time.monotonic(), resident.cpu_seconds(pid)
    pass_time()
    cpu = 100 * (resident.cpu_seconds(pid) - used) / (time.monotonic() - begin)
    return Figures(*resident.megabytes(pid), cpu)


def _command(gateway: Client, seconds: float) -> Work:
    """Commands at an even pace, whether or not the agent keeps up; then every answer."""
    begin = time.monotonic()
    ids = []
    for number in range(int(RATE * seconds)):
        device, action, fields = _PLAIN[number % len(_PLAIN)]
        ids.append(gateway.ask(device, action, room=ROOM, **fields))
        time.sleep(max(0.0, begin + (number + 1) / RATE - time.monotonic()))
    took = time.monotonic() - begin
    answers: dict[str, str] = {}

    def all_answered() -> bool:
        for said in gateway.said:
            if said.topic.endswith("/ack"):
                ack = messages.decode(Acknowledgement, said.payload)
                answers[ack.id] = ack.outcome.value
        return answers.keys() >= set(ids)

    with contextlib.suppress(AssertionError):  # what never came is told in the table
        until(all_answered, "every command is answered", seconds=DEADLINE)
    return Work(len(ids), took, Counter(answers.get(id_, "unanswered") for id_ in ids))


def _table(idle: Figures, busy: Figures, work: Work) -> Table:
    table = Table("agent with 20 devices", "idle", f"at {RATE} commands/s", "target")
    table.add_row("resident MB", f"{idle.resident:.1f}", f"{busy.resident:.1f}", f"under {MOST_MB:.0f}")
    table.add_row("proportional MB", f"{idle.proportional:.1f}", f"{busy.proportional:.1f}", "")
    table.add_row("CPU, % of one core", f"{idle.cpu:.2f}", f"{busy.cpu:.2f}", f"idle under {MOST_IDLE_PERCENT:.0f}")
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in work.outcomes.items())
    table.add_row("commands sent per second", "", f"{work.sent / work.seconds:.1f}", f"{RATE}")
    table.add_row(f"how the {work.sent} ended", "", outcomes, "all executed")
    return table
