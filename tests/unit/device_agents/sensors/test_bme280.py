"""A BME280 through the real library, on a bus that answers as the chip does."""

import errno
import sys

import pytest

from device_agents.sensors import bme280
from device_agents.sensors.bme280 import Bme280
from device_agents.sensors.readings import SensorError
from shared.running.config import ConfigError
from shared.words.names import Kind

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")  # the library's own

CALIBRATION = {
    # T1 27504, T2 26435, T3 -1000: the example of Bosch's data sheet, where 519888 is 25.08 °C.
    0x88: bytes.fromhex("706b436718fc"),
    # P1 to P9 of the same example.
    0x8E: bytes.fromhex("7d8e43d6d00b270b8c00f9ff8c3cf8c67017"),
    0xA1: bytes([75]),
    0xE1: bytes([129, 1, 0, 16, 44, 3, 30]),
}
MEASURED = (415148 << 4).to_bytes(3, "big") + (519888 << 4).to_bytes(3, "big") + (24174).to_bytes(2, "big")
SKIPPED = bytes.fromhex("8000008000008000")


class FakeBus:
    """One chip at 0x76. `cut` is what an unplugged one looks like, `driven` one that the kernel has for itself."""

    def __init__(self, *, id_: int = 0x60, data: bytes = MEASURED) -> None:
        self.registers = bytearray(256)
        self.registers[0xD0] = id_
        for register, block in (CALIBRATION | {0xF7: data}).items():
            self.registers[register : register + len(block)] = block
        self.cut = False
        self.driven = False
        self.closed = 0

    def read_i2c_block_data(self, address: int, register: int, length: int) -> list[int]:
        if self.cut or address != 0x76:
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        if self.driven:
            raise OSError(errno.EBUSY, "Device or resource busy")
        return list(self.registers[register : register + length])

    def read_byte_data(self, address: int, register: int) -> int:
        return self.read_i2c_block_data(address, register, 1)[0]

    def read_word_data(self, address: int, register: int) -> int:
        low, high = self.read_i2c_block_data(address, register, 2)
        return low | high << 8

    def write_byte_data(self, address: int, register: int, value: int) -> None:
        self.read_byte_data(address, register)

    def close(self) -> None:
        self.closed += 1


def sensor(bus: FakeBus, kind: Kind = Kind.TEMPERATURE, address: str = "1:0x76") -> Bme280:
    library, _ = bme280.load()
    return Bme280(library, lambda number: bus if number == 1 else None, address, kind)


def failure(one: Bme280) -> str:
    with pytest.raises(SensorError) as told:
        one.read()
    return str(told.value)


def test_temperature_and_humidity_are_compensated() -> None:
    assert sensor(FakeBus()).read() == pytest.approx(25.08, abs=0.01)
    assert 35 < sensor(FakeBus(), Kind.HUMIDITY).read() < 50


def test_a_chip_that_has_not_measured_gives_no_reading() -> None:
    assert failure(sensor(FakeBus(data=SKIPPED))) == "it has not measured"
    assert failure(sensor(FakeBus(data=SKIPPED), Kind.HUMIDITY)) == "it has not measured"


def test_another_chip_is_told() -> None:
    bus = FakeBus(id_=0x58)
    assert failure(sensor(bus)) == "the chip says 0x58, and a BME280 says 0x60; a BMP280 has no humidity"
    assert bus.closed == 1


def test_nobody_at_the_address_is_told() -> None:
    bus = FakeBus()
    assert failure(sensor(bus, address="1:0x77")) == "I²C bus 1, address 0x77: Remote I/O error"
    assert bus.closed == 1


def test_one_that_the_kernel_drives_is_told() -> None:
    bus = FakeBus()
    bus.driven = True
    assert 'address 0x76: the kernel drives it; set source = "iio"' in failure(sensor(bus))


def test_a_chip_that_was_unplugged_is_read_again_with_the_calibration_that_it_has_then() -> None:
    bus = FakeBus()
    one = sensor(bus)
    before = one.read()
    bus.cut = True
    assert "Remote I/O error" in failure(one)
    assert "Remote I/O error" in failure(one)
    bus.cut = False
    bus.registers[0x88] += 40
    assert one.read() < before


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bme280", None)
    with pytest.raises(ConfigError, match=r"install homesystem\[bme280\], or let the kernel read the sensor"):
        bme280.load()
