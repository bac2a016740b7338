"""An agent that is restarted a hundred times, stopped and killed in turn: not one edge on a pin that is to be kept.

It has no hub: whatever is on was switched on by hand, at the room's own buttons.
"""

import os
import signal
import socket
from collections.abc import Iterator

import pytest

from deploy.folder.home import Home
from device_agents.pins import simulation
from shared.words.messages import CoverValue
from tests.house import DEADLINE, Broker, until
from tests.integration.agent_parts import GATEWAY_HEARS, Client, Room

RESTARTS = 100
DEVICES = """
[[devices]]
id = "lamp"
name = "Lamp"
kind = "switch"
pin = 17
boot = "restore"

[[devices]]
id = "dark-lamp"
name = "Dark lamp"
kind = "switch"
pin = 16
boot = "restore"

[[devices]]
id = "low-lamp"
name = "Lamp on an inverting relay"
kind = "switch"
pin = 20
boot = "restore"
active_low = true

[[devices]]
id = "dark-low-lamp"
name = "Dark lamp on an inverting relay"
kind = "switch"
pin = 21
boot = "restore"
active_low = true

[[devices]]
id = "dimmer"
name = "Dimmer"
kind = "dimmer"
pin = 18
boot = "restore"

[[devices]]
id = "router"
name = "Router"
kind = "switch"
pin = 19
boot = "on"

[[devices]]
id = "heater"
name = "Heater"
kind = "switch"
pin = 24
boot = "restore"
max_on = 3600

[[devices]]
id = "door"
name = "Door"
kind = "lock"
pin = 27
relock_after = 60

[[devices]]
id = "pump"
name = "Pump"
kind = "switch"
pin = 7
interlock = "pumps"
dead_time = 1

[[devices]]
id = "spare"
name = "Spare pump"
kind = "switch"
pin = 8
interlock = "pumps"

[[devices]]
id = "blind"
name = "Blind"
kind = "cover"
pins = [5, 6]
travel_time = 20

[[devices]]
id = "gate"
name = "Gate"
kind = "pulse"
pin = 12
"""
BUTTON = """
[[devices]]
id = "{device}-button"
name = "Button"
kind = "button"
pin = {pin}
debounce_ms = 0
double_ms = 0
binds = {{ press = {{ device = "{device}", {wish} }} }}
"""
WISHES = {"lamp": 'action = "on"', "low-lamp": 'action = "on"', "dimmer": 'action = "set", value = 40'}
BUTTONS = WISHES | {"heater": 'action = "on"'}
BUTTON_PINS = (22, 23, 25, 26)
LEVELS = {
    "lamp": 1,
    "dark-lamp": 0,
    "low-lamp": 1,
    "dark-low-lamp": 0,
    "dimmer": 1,
    "router": 1,
    "door": 0,
    "pump": 0,
    "spare": 0,
    "blind": 0,
    "gate": 0,
}
"""What is kept over every restart, whichever way the agent ended; the heater has its own story."""
STATES = {
    "lamp": "on",
    "dark-lamp": "off",
    "low-lamp": "on",
    "dark-low-lamp": "off",
    "dimmer": 40,
    "router": "on",
    "heater": "on",
    "door": "locked",
    "pump": "off",
    "spare": "off",
    "blind": CoverValue(position=None, moving=None),
}


class Restarted:
    """The hall, and whom it tells that it is ready."""

    def __init__(self, room: Room, manager: socket.socket) -> None:
        self.room = room
        self._manager = manager

    def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        self.room.start()
        while "READY=1" not in self._manager.recv(4096).decode().splitlines():
            pass

    def press(self, device: str) -> None:
        """Somebody presses the button of a device that is off; returns when all that follows is committed."""
        simulation.drive(self.room.home.var / "sim", self.room.room, f"{device}-button", "press")
        until(lambda: self.room.stood(device)[1].active, f"{device} is on")

    @property
    def levels(self) -> dict[str, int]:
        """The level of every device, as the waveform has it."""
        return dict.fromkeys(LEVELS, 0) | dict(self.room.waveform)


@pytest.fixture
def hall(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Restarted]:
    room = Room(home)
    buttons = zip(BUTTON_PINS, BUTTONS.items(), strict=True)
    room.furnish(DEVICES + "".join(BUTTON.format(pin=pin, device=d, wish=wish) for pin, (d, wish) in buttons))
    name = f"home-system-restarts-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}")
        manager.settimeout(DEADLINE)
        yield Restarted(room, manager)
        room.stop(signal.SIGKILL)


def test_a_hundred_restarts_move_no_pin_that_is_to_be_kept(hall: Restarted, home: Home) -> None:
    room = hall.room
    hall.start()
    for device in WISHES:
        hall.press(device)
    assert hall.levels == LEVELS
    for _ in range(RESTARTS // 2):
        waveform = room.waveform
        hall.press("heater")
        assert room.waveform == [*waveform, ("heater", 1)]
        deadline = room.stood("heater")[1].deadline
        room.stop(signal.SIGKILL)
        hall.start()
        assert room.waveform == [*waveform, ("heater", 1)], "kept, as it has time left"
        assert room.stood("heater")[1].deadline == deadline, "not a moment longer than before"
        assert room.stop(signal.SIGTERM) == 0
        assert room.waveform == [*waveform, ("heater", 1), ("heater", 0)], "ended, as nobody would be there to end it"
        hall.start()
        assert room.waveform == [*waveform, ("heater", 1), ("heater", 0)]
    assert hall.levels == LEVELS | {"heater": 0}
    _says_what_is_so(hall, home)


def _says_what_is_so(hall: Restarted, home: Home) -> None:
    """Killed once more, and with a hub at last: every state that it tells is that of its pins."""
    hall.press("heater")
    waveform = hall.room.waveform
    hall.room.stop(signal.SIGKILL)
    broker = Broker(home)
    broker.start()
    try:
        with Client(broker, "gateway", *GATEWAY_HEARS) as gateway:
            hall.room.online(gateway)
            told = {device: gateway.state(device, value).fault for device, value in STATES.items()}
    finally:
        broker.stop()
    assert told == dict.fromkeys(STATES)
    assert hall.room.waveform == waveform
