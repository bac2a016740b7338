"""Real kill -9 of a real agent before every effect of a command, and after the last, for every kind of output.

An effect is a call on a pin, a statement on the ledger's file, a message handed to the broker (tests/effects.py). The
process that is started after one kill is the one that dies at the next effect. Meanwhile a kettle's time runs out,
and a door's that is to lock by itself.
"""

import itertools
import signal
import time
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import pytest

from deploy.folder.home import Home
from device_agents.pins.simulated import Edge
from shared.words import messages, topics
from shared.words.messages import Acknowledgement, AuditEvent, CoverValue, State, Value
from tests.crash_agent import LAST
from tests.house import Broker, until
from tests.integration.agent_parts import GATEWAY_HEARS, Client, Room, offline

REST = 0.1
"""For how long the cover and the gate rest after a start."""
DEVICES = f"""
[[devices]]
id = "lamp"
name = "Lamp"
kind = "switch"
pin = 17
boot = "restore"

[[devices]]
id = "kettle"
name = "Kettle"
kind = "switch"
pin = 24
max_on = 3600
boot = "restore"

[[devices]]
id = "dimmer"
name = "Dimmer"
kind = "dimmer"
pin = 18

[[devices]]
id = "front-door"
name = "Front door"
kind = "lock"
pin = 27
critical = true
relock_after = 600

[[devices]]
id = "blind"
name = "Blind"
kind = "cover"
pins = [5, 6]
travel_time = 600
dead_time = {REST}

[[devices]]
id = "gate"
name = "Gate"
kind = "pulse"
pin = 12
critical = true
pulse_ms = {REST * 1000:.0f}
"""
KETTLE, OPENING = 24, 5


class Wish(NamedTuple):
    """A command to be killed in, and the one that brings its device to rest."""

    device: str
    action: str
    rest: str | None
    value: int | None = None
    critical: bool = False


WISHES = (
    Wish("lamp", "on", "off"),
    Wish("dimmer", "set", "off", value=40),
    Wish("front-door", "unlock", "lock", critical=True),
    Wish("blind", "open", "stop"),
    Wish("gate", "press", None, critical=True),
)


class Death(NamedTuple):
    """What a kill left: the command's id, the edges of its device so far, and what the ledger's file has of it."""

    id: str
    edges: list[Edge]
    since: int
    begun: bool
    answer: Acknowledgement | None
    undisturbed: bool


class Victim:
    """The hall, killed in one kind of command again and again."""

    def __init__(self, room: Room, gateway: Client, wish: Wish) -> None:
        self.room = room
        self.gateway = gateway
        self.wish = wish
        self.kettle_until: float | None = None
        self._rested = 0.0

    def born(self, id_: str, number: int) -> None:
        """Start it, to die at the effect `number` of the command `id_`; what it tells is what its pins are."""
        self.gateway.forget()
        self.room.start(doom=(id_, number))
        self.room.there(self.gateway)
        self._rested = time.monotonic() + REST
        self._tells_the_truth()
        self.gateway.heartbeat()

    def prepare(self) -> None:
        """Everything at rest, but for the timers that are to be pending."""
        assert self.gateway.command("kettle", "on") == ("executed", None)
        self.kettle_until = self.kettle_until or self.room.stood("kettle")[1].deadline
        if self.wish.device != "front-door":
            assert self.gateway.command("front-door", "unlock") == ("executed", None)
        if self.wish.rest is not None:
            assert self.gateway.command(self.wish.device, self.wish.rest) == ("executed", None)
            self._rested = time.monotonic() + REST
        until(lambda: time.monotonic() > self._rested, "cover and gate have rested")
        until(lambda: all(edge.level == 0 for edge in self._last().values()), "the device is at rest")

    def strike(self, id_: str) -> Death:
        """Command it to its death."""
        since, said = len(self.room.edges), self.room.log.stat().st_size
        self._ask(id_)
        assert self.room.died() == -signal.SIGKILL
        rows = self.room.query("SELECT answer FROM command WHERE id = ?", id_)
        answer = messages.decode(Acknowledgement, rows[0][0]) if rows and rows[0][0] is not None else None
        undisturbed = LAST in self.room.log.read_bytes()[said:].decode()
        self.gateway.wait_for("the will, and so all that was said before it", offline)
        assert self._answers(id_) <= {answer}, "an answer was given before it was committed"
        assert self._answers(id_) or not undisturbed
        return Death(id_, self._mine(since), since, bool(rows), answer, undisturbed)

    def what_was_committed_was_done(self, death: Death) -> None:
        ups = [edge for edge in death.edges if edge.level]
        assert len(ups) <= death.begun, "a pin moved before its intent was committed"
        assert death.answer is None or len(ups) == 1, "an answer was committed before all was done"
        assert death.answer is not None or not death.undisturbed
        assert self.room.stood("kettle")[1].deadline == self.kettle_until, "not a moment longer than before"

    def the_repeat_is_truthful(self, death: Death) -> None:
        """Asked twice more: answered alike, and moved only where nothing had been begun."""
        until(lambda: time.monotonic() > self._rested, "cover and gate have rested")
        answers = []
        for _ in range(2):
            self.gateway.forget()
            self._ask(death.id)
            answers.append(msgspec.structs.replace(self.gateway.answer(death.id), repeated=False))
        assert answers[0] == answers[1]
        said = (answers[0].outcome.value, answers[0].reason)
        interrupted = ("failed", "interrupted")
        assert said == (interrupted if death.begun and death.answer is None else ("executed", None))
        assert death.answer in (None, answers[0])
        ups = [edge for edge in self._mine(death.since) if edge.level]
        assert len(ups) == (said != interrupted or any(edge.level for edge in death.edges)), "exactly what was asked"

    def outcomes(self, id_: str) -> list[str]:
        """How the command ended, by the events in its spool."""
        events = [messages.decode(AuditEvent, body) for (body,) in self.room.query("SELECT body FROM event")]
        return [event.outcome.value for event in events if event.command_id == id_ and event.outcome != "asked"]

    def kettle_edges(self, since: int) -> list[Edge]:
        """Those of the kettle."""
        return [edge for edge in self.room.edges[since:] if edge.pin == KETTLE]

    def _ask(self, id_: str) -> None:
        self.gateway.ask(self.wish.device, self.wish.action, id=id_, value=self.wish.value)

    def _answers(self, id_: str) -> set[Acknowledgement | None]:
        acks = (messages.decode(Acknowledgement, s.payload) for s in self.gateway.said if s.topic.endswith("/ack"))
        return {ack for ack in acks if ack.id == id_}

    def _mine(self, since: int) -> list[Edge]:
        return [edge for edge in self.room.edges[since:] if edge.device == self.wish.device]

    def _last(self) -> dict[int, Edge]:
        return {edge.pin: edge for edge in self._mine(0)}

    def _tells_the_truth(self) -> None:
        """Of what it told before it said `online`."""
        levels = {(edge.device, edge.pin): edge.level for edge in self.room.edges}
        on = {device for (device, _), level in levels.items() if level}
        told: dict[str, Value] = {}
        for said in self.gateway.said:
            topic = topics.parse(said.topic)
            if topic is not None and said.topic == topics.state("hall", topic.device):
                told[topic.device] = messages.decode(State, said.payload).value
        assert {device: told[device] for device in ("lamp", "kettle", "front-door", "dimmer")} == {
            "lamp": "on" if "lamp" in on else "off",
            "kettle": "on" if "kettle" in on else "off",
            "front-door": "unlocked" if "front-door" in on else "locked",
            "dimmer": 40 if "dimmer" in on else 0,
        }
        assert on <= {"lamp", "kettle", "dimmer"}, "everything else comes to rest at a start"
        assert isinstance(told["blind"], CoverValue)
        assert told["blind"].moving is None


@pytest.fixture(scope="module")
def hall(home: Home) -> Iterator[Room]:
    room = Room(home)
    room.furnish(DEVICES)
    yield room
    room.stop(signal.SIGKILL)


@pytest.mark.parametrize("wish", WISHES, ids=[wish.device for wish in WISHES])
def test_killed_before_any_effect_no_edge_comes_twice_and_the_repeat_is_answered_truthfully(
    hall: Room, broker: Broker, wish: Wish
) -> None:
    deaths: list[Death] = []
    began = len(hall.edges)
    with Client(broker, "gateway", *GATEWAY_HEARS) as gateway:
        victim = Victim(hall, gateway, wish)
        for number in itertools.count(1):
            id_ = str(uuid.uuid4())
            victim.born(id_, number)
            if deaths:
                victim.the_repeat_is_truthful(deaths[-1])
                if deaths[-1].undisturbed:
                    break
            victim.prepare()
            deaths.append(victim.strike(id_))
            victim.what_was_committed_was_done(deaths[-1])
        hall.stop(signal.SIGKILL)
    assert [edge.level for edge in victim.kettle_edges(began)] in ([1], []), "a running time survives every kill"
    for death in deaths:
        assert len(victim.outcomes(death.id)) == wish.critical, "one command, one outcome"
    worlds = {(death.begun, death.answer is not None, len(death.edges)) for death in deaths}
    assert worlds == {(False, False, 0), (True, False, 0), (True, False, 1), (True, True, 1)}
    print(f"{wish.device}: killed at {len(deaths)} points")
