"""Simulated sensors of a real agent over the real broker: driven, heard, at fault, well again, remembered."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploy.folder.home import Home
from device_agents.pins import simulation
from shared.words import messages, topics
from shared.words.messages import Description, State
from shared.words.problem import HomeError
from tests import house
from tests.house import DEADLINE, Broker
from tests.integration.agent_parts import GATEWAY_HEARS, ROOT, Client, Room, Said

SENSORS = """
[[devices]]
id = "temperature"
name = "Temperature"
kind = "temperature"
source = "ds18b20"

[[devices]]
id = "humidity"
name = "Humidity"
kind = "humidity"
source = "bme280"
address = "1:0x76"
every = 3600
"""


@pytest.fixture(scope="module")
def kitchen(home: Home, broker: Broker) -> Iterator[Room]:
    room = Room(home, "kitchen")
    room.config.write_text(room.config.read_text() + SENSORS)
    yield room
    room.stop(signal.SIGKILL)


@pytest.fixture
def gateway(broker: Broker) -> Iterator[Client]:
    with Client(broker, "gateway", *GATEWAY_HEARS) as client:
        yield client


@pytest.fixture
def running(kitchen: Room, gateway: Client) -> Room:
    if kitchen.process is None:
        kitchen.online(gateway)
    return kitchen


def drive(room: Room, device: str, value: str) -> None:
    simulation.drive(room.home.var / "sim", room.room, device, value)


def at_fault(gateway: Client, device: str) -> State:
    """Wait for the sensor's fault."""

    def fits(said: Said) -> State | None:
        if said.topic != topics.state("kitchen", device):
            return None
        state = messages.decode(State, said.payload)
        return state if state.fault is not None else None

    found = gateway.wait_for(f"{device} is at fault", fits)
    assert isinstance(found, State)
    return found


def test_a_room_says_what_it_measures(running: Room, gateway: Client) -> None:
    def fits(said: Said) -> Description | None:
        mine = said.topic == topics.description("kitchen")
        return messages.decode(Description, said.payload) if mine else None

    found = gateway.wait_for("the description", fits)
    devices = {device.id: device for device in found.devices}
    assert (devices["temperature"].unit, devices["humidity"].unit) == ("°C", "%")
    assert gateway.state("temperature", 20.0, room="kitchen").by.source == "input"
    assert gateway.state("humidity", 50.0, room="kitchen").by.source == "input"


def test_a_driven_sensor_is_heard_at_once_and_its_fault_and_its_recovery_too(running: Room, gateway: Client) -> None:
    drive(running, "temperature", "21.5")
    assert gateway.state("temperature", 21.5, room="kitchen").fault is None
    drive(running, "humidity", "61")
    gateway.state("humidity", 61.0, room="kitchen")
    gateway.forget()
    drive(running, "humidity", "fail")
    state = at_fault(gateway, "humidity")
    assert (state.value, state.fault, state.by.source) == (None, "sensor", "input")
    drive(running, "humidity", "60")
    state = gateway.state("humidity", 60.0, room="kitchen")
    assert state.fault is None


def test_what_is_no_news_is_not_told(running: Room, gateway: Client) -> None:
    drive(running, "temperature", "10")
    gateway.state("temperature", 10.0, room="kitchen")
    gateway.forget()
    for value in ("10.1", "9.9", "10.1", "10.2"):
        drive(running, "temperature", value)
    gateway.state("temperature", 10.2, room="kitchen")
    topic = topics.state("kitchen", "temperature")
    assert [json.loads(said.payload)["value"] for said in gateway.said if said.topic == topic] == [10.2]


def test_what_was_driven_is_read_again_after_a_restart(running: Room, gateway: Client) -> None:
    drive(running, "temperature", "-4.5")
    drive(running, "humidity", "fail")
    at_fault(gateway, "humidity")
    assert running.stop() == 0
    running.online(gateway)
    gateway.state("temperature", -4.5, room="kitchen")
    assert at_fault(gateway, "humidity").value is None
    drive(running, "humidity", "50")
    gateway.state("humidity", 50.0, room="kitchen")


def test_what_a_sensor_cannot_measure_is_refused(running: Room) -> None:
    with pytest.raises(HomeError, match="takes a number from 0 to 100"):
        drive(running, "humidity", "101")


def test_the_command_drives_it_below_zero_too(running: Room, gateway: Client) -> None:
    house.seal(running.home)

    def sim(value: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "deploy", "sim", "kitchen/temperature", value],
            cwd=ROOT,
            env=os.environ | {"HOMESYSTEM_VAR": str(running.home.var)},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    assert sim("-7.5").stdout == "kitchen/temperature is driven: -7.5\n"
    assert gateway.state("temperature", -7.5, room="kitchen").fault is None
    refused = sim("cold")
    assert refused.returncode != 0
    assert "takes a number from -55 to 125" in refused.stderr + refused.stdout
