"""A room's agent as a process, and an ear and a mouth at the broker beside it."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import paho.mqtt.client as paho

from deploy.folder import home as homes
from device_agents.devices.output import Memory
from device_agents.pins.simulated import Edge
from shared.broker import mqtt, paho_client
from shared.words import messages, topics
from shared.words.messages import Acknowledgement, AuditEvent, Availability, InputEvent, State
from tests import warm
from tests.house import DEADLINE, Broker, until

ROOT = Path(__file__).resolve().parents[2]


class Said(NamedTuple):
    """One message, as it arrived."""

    topic: str
    payload: bytes
    retained: bool
    at: float
    """When, monotonic seconds."""


class Client:
    """An identity at the broker: hears what it subscribed to, says what it is told to. Use as a context manager."""

    def __init__(self, broker: Broker, who: str, *filters: str) -> None:
        self.who = who
        self.session = mqtt.new_session()
        self.patience = DEADLINE
        self._filters = filters
        self._said: list[Said] = []
        self._came = threading.Condition()
        self._subscribed = threading.Event()
        self._broker, self._answer = broker, "no answer"
        config = broker.config(who)
        own = topics.service(who)
        self._client = paho_client.new_client(config, mqtt.Will(own, b""))
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.connect(config.host, config.port, 30)

    def __enter__(self) -> "Client":
        self._client.loop_start()
        # Its thread ends with its one connection, at the latest when the broker is silent for longer than a keepalive.
        until(lambda: self._subscribed.is_set() or self._client._thread is None, "an answer", seconds=2 * DEADLINE)
        assert self._subscribed.is_set(), f"{self.who} at the broker: {self._answer}\n{self._broker.log}"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, *told: object) -> None:
        self._answer = str(told[3])  # the reason code
        self._client.subscribe([(name, 1) for name in self._filters])

    def _on_disconnect(self, *told: object) -> None:
        self._answer += f", and then the end: {told[3]}"

    def _on_message(self, _c: object, _u: object, message: paho.MQTTMessage) -> None:
        at = time.monotonic()
        with self._came:
            self._said.append(Said(message.topic, bytes(message.payload), message.retain, at))
            self._came.notify_all()

    @property
    def said(self) -> list[Said]:
        """Everything so far."""
        with self._came:
            return list(self._said)

    def wait_for(self, what: str, fits: Any) -> Any:
        """The first thing that `fits(said)` makes of a message, now or later."""

        def found() -> Any:
            return next((made for said in self._said if (made := fits(said)) is not None), None)

        with self._came:
            assert self._came.wait_for(lambda: found() is not None, DEADLINE), f"never heard: {what}"
            return found()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Say something, and wait until the broker has it, or for no longer than our patience."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(self.patience)

    def heartbeat(self) -> None:
        """As a gateway: the hub is here, and this is its time."""
        there = mqtt.availability(online=True, session=self.session)
        self.publish(topics.service(self.who), messages.encode(there), retain=True)

    def ask(self, device: str, action: str, *, room: str = "hall", age: float = 0.0, **fields: Any) -> str:
        """A stamped command; returns its id."""
        raw = {"action": action, "id": str(uuid.uuid4()), "issued_at": time.time() - age} | fields
        self.publish(topics.command(room, device, self.who), json.dumps(raw).encode())
        return str(raw["id"])

    def answer(self, id_: str) -> Acknowledgement:
        """The acknowledgement for this id."""

        def fits(said: Said) -> Acknowledgement | None:
            if not said.topic.endswith("/ack"):
                return None
            ack = messages.decode(Acknowledgement, said.payload)
            return ack if ack.id == id_ else None

        found = self.wait_for(f"the answer to {id_}", fits)
        assert isinstance(found, Acknowledgement)
        return found

    def command(self, device: str, action: str, **fields: Any) -> tuple[str, str | None]:
        """Ask, and what came of it: outcome and reason."""
        ack = self.answer(self.ask(device, action, **fields))
        return ack.outcome.value, ack.reason

    def state(self, device: str, value: object, *, room: str = "hall") -> State:
        """Wait for this state."""

        def fits(said: Said) -> State | None:
            if said.topic != topics.state(room, device):
                return None
            state = messages.decode(State, said.payload)
            return state if state.value == value else None

        found = self.wait_for(f"{device} is {value}", fits)
        assert isinstance(found, State)
        return found

    def event(self, device: str, *, room: str = "hall") -> InputEvent:
        """Wait for anything to happen at an input."""
        topic = topics.event(room, device)
        found = self.wait_for(topic, lambda said: said.payload if said.topic == topic else None)
        return messages.decode(InputEvent, found)

    def forget(self) -> None:
        """Hear anew."""
        with self._came:
            self._said.clear()


class Room:
    """One agent's process, its configuration and its waveform. `within` is a command that starts it elsewhere."""

    def __init__(self, home: homes.Home, room: str = "hall", *, within: tuple[str, ...] = ()) -> None:
        self.home = home
        self._within = within
        self.room = room
        self.config = home.var / "agents" / f"{room}.toml"
        self.log = home.var / "log" / f"agent-{room}.console"
        self.process: subprocess.Popen[bytes] | None = None
        self.config.parent.mkdir(exist_ok=True)
        homes.render(home, f"agents/{room}", self.config)

    def start(self, *, checkpoint: str | None = None, doom: tuple[str, int] | None = None) -> None:
        """Start it. With a checkpoint, it kills itself there; with a doom, at that effect of the command of that id."""
        command = ["device_agents", "--config", str(self.config)]
        if checkpoint is not None:
            command = ["tests.crash_agent", str(self.config), checkpoint]
        elif doom is not None:
            command = ["tests.crash_agent", str(self.config), doom[0], str(doom[1])]
        with self.log.open("ab") as log:
            self.process = warm.Popen(
                [*self._within, sys.executable, "-m", *command],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONPATH": "."},
            )

    def online(self, ear: Client) -> None:
        """Start it, and wait until it has said that it is there."""
        ear.forget()
        self.start()
        self.there(ear)

    def there(self, ear: Client) -> None:
        """Wait until it says, live, that it is there."""
        topic = topics.availability(self.room)

        def fits(said: Said) -> bool | None:
            online = said.topic == topic and not said.retained and b'"online"' in said.payload
            return True if online else None

        ear.wait_for(f"{self.room} is online", fits)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(DEADLINE)
        self.process = None
        return code

    def died(self) -> int:
        """Wait until it ended by itself; its exit code."""
        assert self.process is not None
        code = self.process.wait(DEADLINE)
        self.process = None
        return code

    def complained(self, words: str) -> None:
        """Wait until it wrote this."""
        until(lambda: words in self.log.read_text() or None, f"the agent says {words!r}")

    @property
    def waveform(self) -> list[tuple[str, int]]:
        """(device, level) of each edge so far."""
        return [(edge.device, edge.level) for edge in self.edges]

    @property
    def edges(self) -> list[Edge]:
        """Each edge so far."""
        path = self.home.var / "sim" / f"{self.room}.jsonl"
        if not path.exists():
            return []
        return [msgspec.json.decode(line, type=Edge) for line in path.read_bytes().splitlines()]

    def stood(self, device: str) -> tuple[State, Memory]:
        """Where an output stands, as its ledger's file has it."""
        ((state, memory),) = self.query("SELECT state, memory FROM standing WHERE device = ?", device)
        return messages.decode(State, state), messages.decode(Memory, memory)

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of its ledger's file."""
        with contextlib.closing(sqlite3.connect(self.home.var / "data" / "agents" / f"{self.room}.sqlite3")) as file:
            return file.execute(sql, values).fetchall()

    def furnish(self, devices: str) -> None:
        """Give it other devices (TOML) than the demo's."""
        head, _, _ = self.config.read_text().partition("[[devices]]")
        self.config.write_text(head + devices)


GATEWAY_HEARS = (
    topics.ALL_STATES,
    topics.ALL_ACKS,
    topics.ALL_EVENTS,
    topics.ALL_AVAILABILITY,
    topics.ALL_DESCRIPTIONS,
)


def audit_events(ear: Client, source: str = "hall") -> list[AuditEvent]:
    """What `source` reported so far, each event once."""
    found = {}
    for said in ear.said:
        if said.topic == topics.audit(source):
            event = messages.decode(AuditEvent, said.payload)
            found[event.id] = event
    return list(found.values())


def offline(said: Said) -> Availability | None:
    """A room's word that it is gone."""
    if not said.topic.endswith("/availability") or not said.payload:
        return None
    there = messages.decode(Availability, said.payload)
    return there if there.status == "offline" else None
