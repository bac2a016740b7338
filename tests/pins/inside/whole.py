"""A room whole within a guest: a real broker over TLS, the agent as a process of its own on a kernel's chip, and us as
its gateway beside it. What its outputs did is on the tape, and everything that may have moved one is written down.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.words import topics
from shared.words.messages import Acknowledgement
from tests.house import Broker, come_up, make_home, share_pki, until
from tests.integration.agent_parts import GATEWAY_HEARS, Client, Room
from tests.pins.inside.causes import Cause, Verdict, explained
from tests.pins.inside.furniture import DEVICES, DIMMED, LAMP, PINS, RESTS
from tests.pins.inside.holder import Kind
from tests.pins.inside.tape import Tape
from tests.unit.device_agents.pins import chips
from tests.unit.device_agents.pins.chips import PI_4, Chip

HEARTBEAT_SECONDS = 5.0
BOUNCE_SECONDS = 0.1


class Weight(msgspec.Struct, frozen=True):
    """What a process costs: its share of memory (PSS) in MB, and CPU seconds so far."""

    memory: float
    cpu: float


def weigh(pid: int) -> Weight:
    """Weigh a process of this machine."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    pss = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Weight(memory=pss / 1024, cpu=(int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))


class Whole:
    """The room, its chip, its broker, and what happened. `ear` is its gateway."""

    ear: Client

    def __init__(self, kind: Kind, chip: Chip, broker: Broker, room: Room) -> None:
        self.kind, self.chip, self.broker, self.room = kind, chip, broker, room
        self.rest()
        self.tape = Tape(chip, RESTS)
        self.causes: list[Cause] = []
        self.commands = self.lives = 0
        self.silence = threading.Lock()
        """Held while the gateway has no broker to say its heartbeat to."""
        self._checked = 0
        self._told_at = 0.0

    @property
    def pid(self) -> int:
        """The agent's process."""
        assert self.room.process is not None
        return self.room.process.pid

    def meet(self) -> None:
        """The gateway comes to the broker."""
        self.ear = Client(self.broker, "gateway", *GATEWAY_HEARS, topics.room_file("hall")).__enter__()

    def part(self) -> None:
        """And goes."""
        self.ear.__exit__()

    def start(self) -> None:
        """Start the agent. Only what has boot = "restore" may move by that."""
        since = time.monotonic()
        self.ear.forget()
        self.room.start()
        assert self.room.process is not None
        come_up(self.room.process, self._is_there, "the room is there", said=self.room.log.read_text)
        self.booted(since)
        self.ear.heartbeat()
        self.lives += 1

    def booted(self, since: float) -> None:
        """A process has begun since then."""
        self.causes.append(Cause("boot", LAMP, 0, since, time.monotonic()))

    def _is_there(self) -> bool:
        topic = topics.availability("hall")
        return any(s.topic == topic and not s.retained and b'"online"' in s.payload for s in self.ear.said)

    def die(self, number: int = signal.SIGKILL) -> int:
        """End the agent; every line goes to its resistor, unless somebody keeps it. Its exit code."""
        since = time.monotonic()
        code = self.room.stop(number)
        self.tape.look()
        self.ended(since)
        return code

    def ended(self, since: float) -> None:
        """Nobody has held the lines since then, until just now."""
        now = time.monotonic()
        self.causes += [Cause("ended", pin, level, since, now) for pin, level in RESTS.items()]

    def rest(self) -> None:
        """Each output's resistor where it belongs: a chip that was plugged in has others."""
        for pin, level in RESTS.items():
            self.chip.pull(pin, level)

    def freeze(self) -> None:
        """SIGSTOP."""
        os.kill(self.pid, signal.SIGSTOP)
        until(lambda: _is_stopped(self.pid), "it is frozen")

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    @property
    def times_reached(self) -> int:
        """How often the agent has come to its broker."""
        return self.room.log.read_text().count("Broker reached")

    def bounce(self, pin: int, level: int) -> bool:
        """As a contact closes, or opens: there, back, and there again; whether it was as quick as a contact."""
        started = time.monotonic()
        for each in (level, 1 - level, level, 1 - level, level):
            self.chip.pull(pin, each)
        return time.monotonic() - started < BOUNCE_SECONDS

    def tell(self, device: str, action: str, *moves: tuple[int, int], age: float = 0.0, **fields: Any) -> str:
        """A command that should do no more than `moves` (pin, level), and each of them once; its id."""
        since = self._told_at = time.monotonic()
        id_ = self.ear.ask(device, action, age=age, **fields)
        self.causes += [Cause(id_, pin, level, since) for pin, level in moves]
        self.commands += 1
        return id_

    def answered(self, id_: str) -> Acknowledgement:
        """What came of it: an edge comes before the answer, and none where it is refused."""
        ack = self.ear.answer(id_)
        for cause in [cause for cause in self.causes if cause.what == id_]:
            cause.until = time.monotonic()
            cause.must = ack.outcome.value == "executed"
            if not cause.must:
                self.causes.remove(cause)
        return ack

    def do(self, device: str, action: str, *moves: tuple[int, int], **fields: Any) -> str:
        """Have it done, and nothing else."""
        id_ = self.tell(device, action, *moves, **fields)
        ack = self.answered(id_)
        assert ack.outcome.value == "executed", f"{device} {action}: {ack.outcome.value} {ack.reason} {ack.detail}"
        return id_

    def refused(self, device: str, action: str, *, age: float = 0.0) -> str:
        """Ask for what must not be done; why not."""
        ack = self.answered(self.tell(device, action, age=age))
        assert ack.outcome.value != "executed", f"{device} {action}"
        return str(ack.reason)

    def later(self, what: str, pin: int, level: int, seconds: float = 0.0) -> None:
        """By itself, no sooner than so many seconds after the last command was told."""
        self.causes.append(Cause(what, pin, level, self._told_at + seconds))

    def reach(self, **levels: int) -> None:
        """Wait until outputs, by the names in PINS, are at these levels."""
        pins = {PINS[name]: level for name, level in levels.items()}
        until(lambda: all(self.tape.level(pin) == level for pin, level in pins.items()), f"{levels}")

    def check(self, phase: str) -> int:
        """Every edge so far has one cause, each cause one edge, and no line has moved untold; how many edges since."""
        self.tape.roll()
        wrong = explained(self.tape.edges, self.causes)
        assert wrong == Verdict([], []), f"{phase}: {wrong}; all of it: {self.tape.edges[self._checked :]}"
        for pin in RESTS:
            assert self.chip.level(pin) == self.tape.level(pin), f"{phase}: line {pin} moved and nobody told"
        fresh = len(self.tape.edges) - self._checked
        self._checked = len(self.tape.edges)
        return fresh


@contextmanager
def whole(kind: Kind, pki: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, *, debounce_ms: int) -> Iterator[Whole]:
    """A room with a home of its own, not started yet, with everything at rest; all is ended with it."""
    home = make_home(folder / "home")
    share_pki(home, pki)
    broker = Broker(home)
    with chips.made() as chip, ExitStack() as stack:
        settings = {"LG_WD": str(folder), "RPI_LGPIO_CHIP": chip.number, "RPI_LGPIO_REVISION": PI_4}
        for name, value in (settings | {"RUNTIME_DIRECTORY": str(folder)}).items():
            monkeypatch.setenv(name, value)
        broker.start()
        stack.callback(broker.stop)
        room = Room(home)
        stack.callback(lambda: print(room.log.read_text()))  # what pytest shows of a test that fails
        stack.callback(room.stop, signal.SIGKILL)
        devices = DEVICES.replace("DEBOUNCE", str(debounce_ms)) + (DIMMED if kind == "rpi-lgpio" else "")
        pins = f'pins = "gpiod"\nchip = "{chip.path}"' if kind == "gpiod" else 'pins = "rpi"'
        room.furnish(devices)
        lines = [line for line in room.config.read_text().splitlines() if not line.startswith("sim_dir")]
        room.config.write_text("\n".join(pins if line == 'pins = "simulated"' else line for line in lines) + "\n")
        made = Whole(kind, chip, broker, room)
        stack.callback(made.tape.close)
        over = threading.Event()
        heart = threading.Thread(target=_beat, args=(made, over), daemon=True)
        made.meet()
        stack.callback(made.part)
        heart.start()
        stack.callback(heart.join)
        stack.callback(over.set)
        yield made


def _beat(room: Whole, over: threading.Event) -> None:
    while not over.wait(HEARTBEAT_SECONDS):
        with room.silence:
            room.ear.heartbeat()


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
