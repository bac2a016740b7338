"""Real kill -9 of a real agent before every effect of a command, and after the last, for every kind of output.

An effect is a call on a pin, a statement on the ledger's file, a message handed to the broker (tests/effects.py). A
timer of another device is pending each time.
"""

import signal
import uuid
from collections.abc import Iterator

import pytest

from deploy.home import Home
from shared.messages import Acknowledgement
from tests.crash_agent import LAST
from tests.house import Broker
from tests.integration.agent_parts import GATEWAY_HEARS, Client, Room

DEVICES = """
[[devices]]
id = "lamp"
name = "Lamp"
kind = "switch"
pin = 17

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
dead_time = 0.1

[[devices]]
id = "gate"
name = "Gate"
kind = "pulse"
pin = 12
pulse_ms = 20
"""
WISHES = (
    ("lamp", "on", None),
    ("dimmer", "set", 40),
    ("front-door", "unlock", None),
    ("blind", "open", None),
    ("gate", "press", None),
)


@pytest.fixture(scope="module")
def hall(home: Home) -> Iterator[Room]:
    room = Room(home)
    room.furnish(DEVICES)
    yield room
    room.stop(signal.SIGKILL)


def ups(room: Room, device: str, since: int) -> int:
    """How often the device was switched on."""
    return sum(edge == (device, 1) for edge in room.waveform[since:])


def truth(room: Room, id_: str) -> tuple[bool, bool]:
    """Whether the ledger's file has the command, and whether as done."""
    rows = room.query("SELECT answer FROM command WHERE id = ?", id_)
    return bool(rows), bool(rows and rows[0][0] is not None)


def settle(room: Room, gateway: Client) -> None:
    """Kettle on, everything else at rest; nothing of an earlier command under way."""
    room.online(gateway)
    gateway.heartbeat()
    for device, action in (("lamp", "off"), ("dimmer", "off"), ("front-door", "lock"), ("blind", "stop")):
        assert gateway.command(device, action) == ("executed", None)
    assert gateway.command("kettle", "on") == ("executed", None)
    room.stop(signal.SIGKILL)


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("device", "action", "value"), WISHES, ids=[wish[0] for wish in WISHES])
def test_killed_before_any_effect_there_is_one_edge_at_most_and_a_truthful_answer(
    hall: Room, broker: Broker, device: str, action: str, value: int | None
) -> None:
    number, undisturbed = 0, False
    with Client(broker, "gateway", *GATEWAY_HEARS) as gateway:
        settle(hall, gateway)
        while not undisturbed:
            number += 1
            id_, before = str(uuid.uuid4()), len(hall.waveform)
            said = hall.log.stat().st_size
            gateway.forget()
            hall.start(doom=(id_, number))
            hall.there(gateway)
            gateway.heartbeat()
            gateway.ask(device, action, id=id_, value=value)
            assert hall.died() == -signal.SIGKILL
            undisturbed = LAST in hall.log.read_text()[said:]
            moved = ups(hall, device, before)
            begun, done = truth(hall, id_)
            assert moved <= begun <= 1, "a pin moved before its intent was committed"
            answer = repeated(hall, gateway, device, action, id_, value)
            if begun:
                expected = ("executed", None) if done else ("failed", "interrupted")
                assert (answer.outcome, answer.reason) == expected
                assert ups(hall, device, before) == moved, "the repeat moved it a second time"
            assert ups(hall, device, before) <= 1
            assert ("kettle", 0) not in hall.waveform[before:], "a running time survives"
            hall.stop(signal.SIGKILL)
    assert number > 8, "there is something between a command and its answer"


def repeated(room: Room, gateway: Client, device: str, action: str, id_: str, value: int | None) -> Acknowledgement:
    """Start again, and deliver it once more."""
    room.online(gateway)
    gateway.heartbeat()
    gateway.forget()
    gateway.ask(device, action, id=id_, value=value)
    return gateway.answer(id_)
