"""A room on fakes: pins that record, a link that hears, clocks that are moved by hand, a process that can be killed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from device_agents import complaints, config
from device_agents.agent import Agent
from device_agents.devices.output import Memory
from device_agents.ledger.ledger import Entry, Intent, Ledger
from device_agents.link.link import Down, Heard, Reached, Up
from device_agents.sensors.readings import Sensors
from shared.trust.renewal import Newest
from shared.words import messages, topics
from shared.words.happenings import PASSING
from shared.words.messages import Acknowledgement, AuditEvent, Availability, State
from shared.words.problem import HomeError

M = TypeVar("M", bound=msgspec.Struct)
WALL = 1_800_000_000.0
HUB_AHEAD = -77.0
"""How far the hub's clock is ahead of the room's wall clock: behind, and by far."""

DEVICES: tuple[dict[str, Any], ...] = (
    {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": 17, "boot": "restore"},
    {"id": "front-door", "name": "Front door", "kind": "lock", "pin": 27, "critical": True, "confirm": True},
    {"id": "kettle", "name": "Kettle", "kind": "switch", "pin": 24, "max_on": 600.0, "on_link_loss": "off"},
    {"id": "dimmer", "name": "Dimmer", "kind": "dimmer", "pin": 18, "boot": "restore"},
    {"id": "blind", "name": "Blind", "kind": "cover", "pins": [5, 6], "travel_time": 20.0},
    {"id": "gate", "name": "Gate", "kind": "pulse", "pin": 12, "travel_time": 1.0},
    {"id": "contact", "name": "Contact", "kind": "contact", "pin": 22},
    {"id": "doorbell", "name": "Doorbell", "kind": "button", "pin": 23},
    {"id": "hallway", "name": "Hallway", "kind": "motion", "pin": 4},
)


def room_config(folder: Path, devices: Sequence[dict[str, Any]] = DEVICES, **settings: Any) -> config.RoomConfig:
    """The room `hall`, checked like a file's."""
    identity = {"ca": Path("ca.crt"), "certificate": Path("hall.crt"), "key": Path("hall.key")}
    raw = {
        "room": "hall",
        "name": "Hall",
        "broker": {"identity": "hall", "tls": identity},
        "pins": "simulated",
        "sim_dir": folder / "sim",
        "data": folder / "data",
        "devices": list(devices),
    }
    made = msgspec.convert(raw | settings, config.RoomConfig)
    assert list(complaints.of(made)) == []
    return made


class FakePins:
    """Records (pin, level) for every real change. What it drives outlives the agent, as on a board."""

    def __init__(self) -> None:
        self.levels: dict[int, int] = {}
        self.inputs: dict[int, int] = {22: 1}
        self.waveform: list[tuple[int, int]] = []
        self.broken: set[int] = set()
        self.stuck: set[int] = set()
        self.unreadable: set[int] = set()
        self.changed: Callable[..., None] = lambda *_edge: None
        self.board: Callable[..., None] = lambda **_there: None

    def driven(self, pin: int) -> int | None:
        return self.levels.get(pin)

    def claim(self, pin: int, level: int) -> None:
        self.write(pin, level)

    def write(self, pin: int, level: int) -> None:
        if pin in self.broken:
            raise HomeError("pin-failed", f"pin {pin} is broken")
        if pin not in self.stuck and level != self.levels.get(pin, 0):
            self.waveform.append((pin, level))
        if pin not in self.stuck:
            self.levels[pin] = level

    def read(self, pin: int) -> int:
        if pin in self.unreadable:
            raise HomeError("pin-failed", f"pin {pin} cannot be read")
        return self.inputs.get(pin, 0) if pin in {22, 23, 4} else self.levels.get(pin, 0)

    def watch(self, changed: Callable[..., None], board: Callable[..., None]) -> None:
        self.changed, self.board = changed, board

    def close(self) -> None:
        pass


class FakeLink:
    """Hears everything that the room says, while it is up."""

    def __init__(self) -> None:
        self.session = "s1"
        self.up = True
        self.said: list[tuple[str, bytes, bool, float | None]] = []
        self.done = 0
        self.closed = False
        self.slow = False
        self.failures = 0
        self.newest: Newest = "taken"

    def fileno(self) -> int | None:
        return None

    def wants_write(self) -> bool:
        return False

    def ready(self) -> None:
        pass

    def tick(self, now: float) -> None:
        pass

    def deadline(self) -> float:
        return float("inf")

    def took(self, event: Reached | Up | Down, now: float) -> bool:
        self.up = isinstance(event, Up)
        return self.up

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry: float | None = None) -> bool:
        if self.up:
            self.said.append((topic, payload, retain, expiry))
        return self.up

    def flush(self) -> None:
        pass

    def is_slow(self, now: float) -> bool:
        return self.slow

    def done_with(self, heard: Heard) -> None:
        self.done += 1

    def close(self) -> None:
        self.closed = True

    def heard(self, kind: type[M], topic: str) -> list[M]:
        """Everything that was said on `topic`."""
        return [messages.decode(kind, payload) for where, payload, *_ in self.said if where == topic]


class FragileLedger(Ledger):
    """A real ledger whose disk can be full."""

    full = False
    unreadable = False

    def find(self, party: str, id_: str) -> Entry | None:
        if self.unreadable:
            raise HomeError("ledger-failed", "disk I/O error")
        return super().find(party, id_)

    def begin(self, intent: Intent, *asked: AuditEvent, synced: bool) -> bool:
        self._check()
        return super().begin(intent, *asked, synced=synced)

    def finish(
        self, intent: Intent, answer: bytes, state: State, memory: Memory, *events: AuditEvent, synced: bool
    ) -> None:
        self._check()
        super().finish(intent, answer, state, memory, *events, synced=synced)

    def refuse(self, intent: Intent, answer: bytes, *events: AuditEvent) -> None:
        self._check()
        super().refuse(intent, answer, *events)

    def stand(self, device: str, state: State, memory: Memory | None = None) -> None:
        self._check()
        super().stand(device, state, memory)

    def interrupted(self, intent: Intent, answer: bytes, *events: AuditEvent) -> None:
        self._check()
        super().interrupted(intent, answer, *events)

    def _check(self) -> None:
        if self.full:
            raise HomeError("ledger-failed", "database or disk is full")


class Killed(BaseException):
    """What kill -9 looks like from inside."""


class House:
    """One room on fakes, and a hub whose clock is not ours."""

    link_kind: type[FakeLink] = FakeLink

    def __init__(
        self,
        folder: Path,
        devices: Sequence[dict[str, Any]] = DEVICES,
        *,
        pins: FakePins | None = None,
        sensors: Sensors | None = None,
        now: float = 1000.0,
        **settings: Any,
    ) -> None:
        self.config = room_config(folder, devices, **settings)
        self.pins = pins or FakePins()
        self.sensors = sensors
        self.now = now
        self.boot = "boot-1"
        self.wall_shift = 0.0
        self.hub_ahead = HUB_AHEAD
        self.kill_at: str | None = None
        self.killed = False
        self.born()

    def born(self) -> None:
        """A new process."""
        self.link = self.link_kind()
        self.ledger = FragileLedger(self.config.data / "hall.sqlite3", boot=self.boot, monotonic=lambda: self.now)
        self.agent = Agent(
            self.config,
            self.pins,
            self.ledger,
            sensors=self.sensors,
            link=self.link,
            monotonic=lambda: self.now,
            wall=self.wall,
            checkpoint=self._checkpoint,
        )
        self.agent.start()
        self.agent.take(Up(None), self.now)
        self.agent.tick(self.now)

    def die(self) -> None:
        """kill -9: only what was committed, and what the pins drive, stays."""
        self.ledger.close()
        self.agent.inbox.close()

    def restart(self) -> None:
        self.die()
        self.born()

    def wall(self) -> float:
        """What the room's clock shows, which may have been set wrong."""
        return WALL + self.now + self.wall_shift

    def true_time(self) -> float:
        return WALL + self.now

    def hub_time(self) -> float:
        return self.true_time() + self.hub_ahead

    def advance(self, seconds: float) -> None:
        """Let time pass, with every deadline in between obeyed."""
        end = self.now + seconds
        while True:
            self._empty_inbox()
            due = self.agent.deadline()
            if due > end:
                break
            self.now = max(self.now, due)
            self.agent.tick(self.now)
        self.now = end

    def hear(self, topic: str, message: msgspec.Struct | bytes, *, retained: bool = False) -> None:
        """Something arrives."""
        payload = message if isinstance(message, bytes) else messages.encode(message)
        self.agent.take(Heard(topic, payload, retained, self.now, None, 1), self.now)
        self.agent.tick(self.now)

    def heartbeat(self, session: str = "g1", *, gateway: str = "gateway", retained: bool = False) -> None:
        there = Availability(status="online", at=messages.utc(self.hub_time()), session=session)
        self.hear(topics.service(gateway), there, retained=retained)

    def hear_hub(self, topic: str, message: msgspec.Struct) -> None:
        """What the hub says is retained: it is heard now, or with the next link."""
        self.hear(topic, message, retained=True)

    def command(
        self,
        device: str,
        action: str,
        *,
        issuer: str = "gateway",
        age: float = 0.0,
        retained: bool = False,
        **fields: Any,
    ) -> Acknowledgement | None:
        """A stamped command, `age` seconds old; the acknowledgement, if one came. Fields given as None are left out."""
        clock = self.hub_time() if issuer.startswith("gateway") else self.true_time()
        raw = {"action": action, "id": "c1", "issued_at": clock - age} | fields
        before = len(self.link.said)
        payload = msgspec.json.encode({name: value for name, value in raw.items() if value is not None})
        try:
            self.hear(topics.command("hall", device, issuer), payload, retained=retained)
        except Killed:
            self.killed = True
            return None
        topic = topics.acknowledgement("hall", device)
        acks = [messages.decode(Acknowledgement, body) for where, body, *_ in self.link.said[before:] if where == topic]
        assert len(acks) <= 1
        return acks[0] if acks else None

    def edge(self, pin: int, level: int) -> None:
        """An input changes."""
        self.pins.inputs[pin] = level
        self.pins.changed(pin)
        self._empty_inbox()
        self.agent.tick(self.now)

    def state(self, device: str) -> State:
        """The last state that was said."""
        return self.link.heard(State, topics.state("hall", device))[-1]

    def events(self) -> list[AuditEvent]:
        """Everything in the spool that has no receipt, but for what only happened."""
        return [event for event in self.ledger.spool.pending(1000) if event.what not in PASSING]

    def _checkpoint(self, name: str) -> None:
        if name == self.kill_at:
            self.kill_at = None
            raise Killed

    def _empty_inbox(self) -> None:
        while (item := self.agent.inbox.take()) is not None:
            self.agent.take(item, self.now)
