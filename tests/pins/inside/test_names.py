"""Lines by their names and chips by their labels, as the kernel tells them; and users whose name is no UTF-8."""

import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import gpiod
import pytest

from device_agents.__main__ import check_pins, pins_of
from device_agents.config import RoomConfig
from device_agents.pins import chips as found
from shared.running.config import ConfigError
from shared.words.problem import HomeError
from tests.pins.inside.expander import Expander
from tests.unit.device_agents.fakes import room_config
from tests.unit.device_agents.pins import chips

NAMES = {3: "RELAY1", 4: "RELAY2", 5: "TWICE", 6: "TWICE"}
_GET_LINE = 3 << 30 | 592 << 16 | 0xB4 << 8 | 7
"""GPIO_V2_GET_LINE_IOCTL of linux/gpio.h."""
_INPUT = 1 << 2


def room(folder: Path, chip: Path, *pins: int | str) -> RoomConfig:
    devices: list[dict[str, Any]] = [
        {"id": f"d{number}", "name": f"D{number}", "kind": "switch", "pin": pin} for number, pin in enumerate(pins)
    ]
    return room_config(folder, devices, pins="gpiod", chip=chip, sim_dir=None)


@contextmanager
def held(chip: Path, line: int, consumer: bytes) -> Iterator[None]:
    """Somebody holds the line; libgpiod's Python would not take such a name."""
    descriptor = os.open(chip, os.O_RDWR)
    request = bytearray(struct.pack("=I252x32sQ264xII20xi", line, consumer, _INPUT, 1, 0, 0))
    assert len(request) == 592
    fcntl.ioctl(descriptor, _GET_LINE, request)
    (holding,) = struct.unpack("=i", request[-4:])
    try:
        yield
    finally:
        os.close(holding)
        os.close(descriptor)


def test_a_line_is_found_by_its_name_and_a_chip_by_its_label(tmp_path: Path, saw: Callable[[str], None]) -> None:
    with chips.made(label="expander", lines=8, named=NAMES) as chip:
        numbered, pins = pins_of(room(tmp_path, Path("expander"), "RELAY1", "RELAY2", 0))
        with closing(pins):
            assert [device.every_pin for device in numbered.devices] == [(3,), (4,), (0,)]
            pins.claim(3, 1)
            assert (chip.edges(3), chip.edges(4)) == ([1], [])
            chip.unplug()
            chip.plug()
            again = found.find(gpiod, Path("expander"))
            assert again.path == chip.path
            numbered, others = pins_of(room(tmp_path, Path("expander"), "RELAY2"))
            with closing(others):
                others.claim(4, 1)
                assert (chip.edges(3), chip.edges(4)) == ([], [1])
        saw(f"chip 'expander', line 'RELAY1': found as {again.path.name} too, after it was plugged in again")


def test_names_that_are_not_there_or_twice_are_told(tmp_path: Path, saw: Callable[[str], None]) -> None:
    with chips.made(label="expander", lines=8, named=NAMES) as chip:
        with pytest.raises(ConfigError) as told:
            check_pins(room(tmp_path, Path("expander"), "RELAY3", "TWICE"))
        saw(str(told.value).replace("\n", " | "))
        assert str(told.value).splitlines() == [
            f"devices: {chip.path}: no line is called 'RELAY3' (d0); near are RELAY2, RELAY1",
            f"devices: {chip.path}: lines 5 and 6 are all called 'TWICE' (d1); use the number",
        ]


def test_two_chips_of_one_label_are_told(tmp_path: Path, saw: Callable[[str], None]) -> None:
    with chips.made(label="expander", lines=8), chips.made("twin", label="expander", lines=8) as twin:
        with pytest.raises(ConfigError) as told:
            check_pins(room(tmp_path, Path("expander"), 3))
        saw(str(told.value))
        assert str(twin.path) in str(told.value)
        assert told.value.exit_code == 78
        check_pins(room(tmp_path, twin.path, 3))


def test_a_chip_that_tells_no_edges_says_so(tmp_path: Path, saw: Callable[[str], None]) -> None:
    contact = {"id": "door", "name": "Door", "kind": "contact", "pin": 9}
    chip = Expander().path
    _, pins = pins_of(room_config(tmp_path, [contact], pins="gpiod", chip=chip, sim_dir=None))
    with closing(pins), pytest.raises(HomeError) as told:
        pins.watch(lambda *_edge, **_more: None, lambda *, there: None)
    saw(f"a contact on a PCA9555 without its interrupt: {told.value.detail}")
    assert "tells no edges" in str(told.value.detail)


def test_a_user_whose_name_is_no_utf_8_is_a_complaint(tmp_path: Path, saw: Callable[[str], None]) -> None:
    with chips.made(lines=8) as chip, held(chip.path, 3, b"caf\xe9"):
        with pytest.raises(ConfigError) as told:
            check_pins(room(tmp_path, chip.path, 3, 2))
        saw(f"held by b'caf\\xe9', --check-config: {told.value}")
        assert "line 3 (d0): its name, or that of its user, is no UTF-8" in str(told.value)
        assert len(str(told.value).splitlines()) == 1
