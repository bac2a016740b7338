"""A room behind a cable, with an output for every policy, and what was seen while its hub was away."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from device_agents.pins import simulation
from device_agents.pins.simulated import Edge
from shared.words import messages, topics
from shared.words.messages import AuditEvent, Description, State
from tests import house
from tests.cable import Cable
from tests.house import Broker, until
from tests.integration.agent_parts import GATEWAY_HEARS, Client, Room, Said, audit_events

LONG = 60.0
"""How long a test waits for what takes its time: policies, and a room that finds its broker again."""
MIN_OFF = 25.0
MAX_ON = 12.0
DEAD_TIME = 2.0

_HEAD = """
room = "hall"
name = "Hall"
pins = "simulated"
sim_dir = "{var}/sim"
data = "{var}/data/agents"
link_loss_after = 16

[broker]
identity = "hall"
host = "{host}"
port = {port}

[broker.tls]
ca = "{var}/pki/device-ca.crt"
certificate = "{var}/pki/hall.crt"
key = "{var}/pki/hall.key"
"""
_DEVICES = {
    "lamp": 'kind = "switch"\nboot = "restore"',
    "fan": 'kind = "switch"\non_link_loss = "hold"',
    "heater": 'kind = "switch"\non_link_loss = "off"',
    "pump": 'kind = "switch"\non_link_loss = "on"\nlink_loss_after = 17',
    "ceiling": 'kind = "dimmer"\non_link_loss = "off"\nlink_loss_after = 18',
    "front-door": 'kind = "lock"\ncritical = true\non_link_loss = "hold"',
    "gate": 'kind = "lock"\non_link_loss = "locked"',
    "hatch": 'kind = "lock"\non_link_loss = "unlocked"\nlink_loss_after = 19',
    "cold-valve": f'kind = "switch"\ninterlock = "water"\ndead_time = {DEAD_TIME}\non_link_loss = "on"',
    "hot-valve": 'kind = "switch"\ninterlock = "water"\non_link_loss = "off"',
    "compressor": f'kind = "switch"\nmin_off = {MIN_OFF}\non_link_loss = "on"',
    "blower": f'kind = "switch"\nmax_on = {MAX_ON}\non_link_loss = "hold"',
    "siren": 'kind = "switch"\non_link_loss = "on"',
    "wall": 'kind = "button"\nbinds.press = { device = "lamp", action = "toggle" }\n'
    'binds.long = { device = "siren", action = "on" }',
}
"""The cold valve, which must wait for the hot one, stands before it: it is asked first."""
_PINS = (*range(4, 14), *range(16, 28))


class Scene:
    """A broker, the cable, and the room at its far end. The broker listens at both ends of our side."""

    def __init__(self, folder: Path, cable: Cable) -> None:
        home = house.make_home(folder, name=cable.here)
        house.make_pki(home)
        self.var = home.var
        self.cable = cable
        self.broker = Broker(home)
        conf = home.var / "mosquitto.conf"
        listener = conf.read_text().partition("\nlistener ")[2]
        with conf.open("a") as file:
            file.write("\nlistener " + listener.replace("127.0.0.1", cable.here, 1))
        self._head = _HEAD.format(var=home.var, host=cable.here, port=self.broker.port)
        self.furnish()
        self.room = Room(home, within=cable.there_too)

    def furnish(self, *, without: str = "") -> None:
        """Write the room's file."""
        tables = [
            f'[[devices]]\nid = "{id_}"\nname = "{id_}"\npin = {pin}\n{rest}\n'
            for pin, (id_, rest) in zip(_PINS, _DEVICES.items(), strict=False)
            if id_ != without
        ]
        path = self.var / "agents" / "hall.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(self._head + "\n" + "\n".join(tables))

    @contextlib.contextmanager
    def client(self, who: str, *filters: str) -> Iterator[Client]:
        """Somebody at the broker, on our side of the cable."""
        with Client(self.broker, who, *filters) as client:
            yield client

    def gateway(self) -> contextlib.AbstractContextManager[Client]:
        """A gateway that hears what gateways hear."""
        return self.client("gateway", *GATEWAY_HEARS)

    def close(self) -> None:
        """End agent and broker."""
        self.room.stop(signal.SIGKILL)
        self.broker.kill()

    @property
    def edges(self) -> list[Edge]:
        """Each edge so far, with its time."""
        lines = (self.var / "sim" / "hall.jsonl").read_bytes().splitlines()
        return [msgspec.json.decode(line, type=Edge) for line in lines]

    def moves(self, since: int = 0) -> list[tuple[str, int]]:
        """(device, level) of the edges from the `since`th on."""
        return self.room.waveform[since:]

    def moved(self, device: str, level: int, since: int) -> None:
        """Wait for an edge."""
        until(lambda: (device, level) in self.moves(since) or None, f"{device} becomes {level}", seconds=LONG)

    def press(self, gesture: str = "press") -> None:
        """Somebody's hand at the button on the wall."""
        simulation.drive(self.var / "sim", "hall", "wall", gesture)

    def said(self, words: str) -> int:
        """How often the agent wrote this."""
        return self.room.log.read_text().count(words)

    def says_again(self, words: str, before: int) -> None:
        """Wait until it wrote it once more than `before`."""
        until(lambda: self.said(words) > before or None, f"the agent says {words!r} again", seconds=LONG)


class Way(NamedTuple):
    """One way to lose the hub: how it goes, how it comes back, and whether the room's connection ends with it."""

    leave: Callable[[Scene], None]
    back: Callable[[Scene], None]
    cuts: bool = True
    deaf: bool = False
    """Nobody can say anything to the broker meanwhile."""


WAYS = {
    "cable-cut": Way(lambda scene: scene.cable.cut(), lambda scene: scene.cable.mend()),
    "broker-killed": Way(lambda scene: scene.broker.kill(), lambda scene: scene.broker.start(), deaf=True),
    "broker-frozen": Way(lambda scene: scene.broker.freeze(), lambda scene: scene.broker.thaw()),
    "gateway-silent": Way(lambda scene: None, lambda scene: None, cuts=False),
}


def button_events(ear: Client) -> list[AuditEvent]:
    """What the room reported of its button, each event once."""
    return [event for event in audit_events(ear) if event.detail.get("button") == "wall"]


def states(scene: Scene) -> dict[str, State]:
    """What somebody who comes only now is told of every output."""
    with scene.client("gateway-2", topics.ALL_STATES, topics.ALL_DESCRIPTIONS) as late:

        def found() -> dict[str, State] | None:
            told = {
                said.topic.split("/")[2]: messages.decode(State, said.payload)
                for said in late.said
                if said.topic.endswith("/state") and said.payload
            }
            described = [
                messages.decode(Description, said.payload)
                for said in late.said
                if said.topic == topics.description("hall") and said.payload
            ]
            # What is retained comes in any order.
            return told if described and {device.id for device in described[-1].devices} <= told.keys() else None

        told = until(found, "every state is told")
    return {id_: state for id_, state in told.items() if id_ != "wall"}


def level_of(state: State) -> int:
    """The pin's level that a state stands for."""
    return int(state.value in {"on", "unlocked"} or (isinstance(state.value, int) and state.value > 0))


def births(ear: Client) -> set[str]:
    """The births that the room told of."""
    return {session for said in ear.said if (session := _born(said)) is not None}


def _born(said: Said) -> str | None:
    if said.topic != topics.availability("hall") or not said.payload:
        return None
    there = messages.decode(messages.Availability, said.payload)
    return there.session if there.status == "online" else None
