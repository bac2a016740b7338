"""A BME280 on an I²C bus in memory: through its library, through the kernel's driver, and on a bus that hangs."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device_agents.sensors import bme280
from device_agents.sensors.build import probes
from device_agents.sensors.iio import Iio
from device_agents.sensors.reader import Reader
from device_agents.sensors.readings import SensorError
from shared.words.names import Kind
from tests.house import DEADLINE, is_alive, until
from tests.pins.inside.loading import load
from tests.unit.device_agents.fakes import House, room_config
from tests.unit.device_agents.sensors.test_bme280 import CALIBRATION, MEASURED, SKIPPED

Saw = Callable[[str], None]
ADDRESS = "7:0x76"
BUS = Path("/sys/bus/i2c/devices/i2c-7")
DRIVEN = BUS.parent / "7-0076"
PARAMETERS = Path("/sys/module/i2c_memory/parameters")
ERRORS = (errno.EREMOTEIO, errno.ETIMEDOUT, errno.EIO, errno.ENXIO)


@pytest.fixture(autouse=True)
def chip() -> Iterator[None]:
    """A BME280 that is well."""
    load("i2c-memory")
    load("i2c-dev")
    until(Path("/dev/i2c-7").exists, "the bus")
    fill(MEASURED)
    put("error", 0)
    put("stuck", 0)
    yield
    if DRIVEN.exists():
        (BUS / "delete_device").write_text("0x76")


def fill(measured: bytes) -> None:
    registers = bytearray(256)
    registers[0xD0] = 0x60
    for register, block in (CALIBRATION | {0xF7: measured}).items():
        registers[register : register + len(block)] = block
    (PARAMETERS / "registers").write_text(",".join(map(str, registers)))


def put(parameter: str, value: int) -> None:
    (PARAMETERS / parameter).write_text(str(value))


def library(kind: Kind = Kind.TEMPERATURE) -> Callable[[], float]:
    return bme280.Bme280(*bme280.load(), ADDRESS, kind).read


def kernel(kind: Kind = Kind.TEMPERATURE) -> Callable[[], float]:
    """The kernel's own driver, bound until the end of the test."""
    load("bmp280-i2c")
    if not DRIVEN.exists():
        (BUS / "new_device").write_text("bme280 0x76")
    return Iio("bme280", kind).read


def failure(read: Callable[[], float]) -> str:
    with pytest.raises(SensorError) as told:
        read()
    return str(told.value)


@pytest.mark.parametrize("through", [library, kernel])
def test_what_is_measured_is_told_and_what_fails_too(through: Callable[[Kind], Callable[[], float]], saw: Saw) -> None:
    warmth, damp = through(Kind.TEMPERATURE), through(Kind.HUMIDITY)
    assert abs(warmth() - 25.08) < 0.01
    assert abs(damp() - 41.01) < 0.01
    saw(f"BME280 through {through.__name__}: {warmth():.2f} °C, {damp():.2f} %")
    for number in ERRORS:
        put("error", number)
        assert os.strerror(number) in failure(warmth)
    saw(f"transfers that fail ({', '.join(os.strerror(number) for number in ERRORS)}): each is a failed reading")
    put("error", 0)
    fill(SKIPPED)
    saw(f"BME280 through {through.__name__}, has not measured: {failure(warmth)}")
    fill(MEASURED)
    assert abs(warmth() - 25.08) < 0.01


def test_one_that_the_kernel_drives_is_told(saw: Saw) -> None:
    kernel()
    assert 'the kernel drives it; set source = "iio"' in failure(library())
    saw(f'source = "bme280" where the kernel drives the chip: {failure(library())}')


def test_a_bus_that_hangs_holds_neither_the_loop_nor_another_sensor(tmp_path: Path, saw: Saw) -> None:
    (tmp_path / "name").write_text("elsewhere\n")
    (tmp_path / "in_temp_input").write_text("21000\n")
    warmth = {"name": "Temperature", "kind": "temperature", "every": 2}
    devices = [
        {"id": "hangs", "source": "bme280", "address": ADDRESS} | warmth,
        {"id": "alone", "source": "iio", "address": str(tmp_path)} | warmth,
        {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": 17},
    ]
    reader = Reader(probes(room_config(tmp_path, devices)))
    house = House(tmp_path, devices, sensors=reader, now=time.monotonic())
    house.heartbeat()
    commands = 0

    def turn() -> None:
        nonlocal commands
        house.agent.inbox.wait(0.1, house.link)
        house.advance(max(0.0, time.monotonic() - house.now))
        commands += 1
        ack = house.command("lamp", "off" if commands % 2 else "on", id=f"c{commands}")
        assert ack is not None
        assert ack.outcome.value == "executed"

    def stands(value: float | None, fault: str | None) -> bool:
        turn()
        state = house.state("hangs")
        return (state.value, state.fault) == (value, fault)

    until(lambda: stands(25.1, None), "a reading")
    put("stuck", 1)
    stuck = time.monotonic()
    until(lambda: stands(None, "sensor"), "a fault")
    told = time.monotonic() - stuck
    assert (house.state("alone").value, house.state("alone").fault) == (21.0, None)
    put("stuck", 0)
    until(lambda: stands(25.1, None), "a reading again")
    house.agent.stop()
    saw(f"an I²C transfer that never ends, every = 2: fault `sensor` after {told:.1f} s, {commands} commands meanwhile")


def test_an_agent_whose_sensor_hangs_ends_and_its_process_with_the_transfer(tmp_path: Path, saw: Saw) -> None:
    put("stuck", 1)
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen([sys.executable, "-m", "tests.pins.inside.stuck", ADDRESS], stdout=said)
    until(lambda: (PARAMETERS / "waiting").read_text().strip() == "1", "a transfer that hangs")
    process.send_signal(signal.SIGTERM)
    until(lambda: "ended" in (tmp_path / "said").read_text(), "the agent's end")
    until(lambda: not is_alive(process.pid), "the end of its main thread")
    assert process.poll() is None
    put("stuck", 0)
    assert process.wait(DEADLINE) == 0
    saw("SIGTERM while a transfer hangs: the agent ends; its process is gone when the kernel lets go of the transfer")
