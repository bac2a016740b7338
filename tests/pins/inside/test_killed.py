"""kill -9 with lines held, on a kernel that lets them go: what the next agent makes of it, by the edges of the chip."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import gpiod
import pytest

from device_agents import config
from device_agents.pins.chips import find
from device_agents.pins.gpiod import GpiodPins
from tests.pins.inside.lives import Life
from tests.unit.device_agents.pins import chips
from tests.unit.device_agents.pins.chips import Chip

LAMP, PUMP, UP, DOWN = 17, 27, 5, 6
LAMPS = (
    {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": LAMP, "boot": "restore", "active_low": True},
    {"id": "pump", "name": "Pump", "kind": "switch", "pin": PUMP, "boot": "restore", "min_off": 4.0},
)
Start = Callable[..., Life]


@pytest.fixture
def chip() -> Iterator[Chip]:
    with chips.made() as made:
        made.pull(LAMP, 1)
        made.edges(LAMP)
        yield made


@pytest.fixture
def start(chip: Chip, tmp_path: Path) -> Iterator[Start]:
    lives: list[Life] = []

    def pins(room: config.RoomConfig) -> GpiodPins:
        return GpiodPins(gpiod, find(gpiod, chip.path), "hall", config.pin_uses(room))

    def begin(devices: tuple[dict[str, Any], ...] = LAMPS, **more: Any) -> Life:
        lives.append(Life(tmp_path, devices, pins, pins="gpiod", chip=chip.path, sim_dir=None, **more))
        return lives[-1]

    yield begin
    for life in lives:
        life.kill()


def held_by_firmware(chip: Chip, pin: int, level: int) -> None:
    """What `gpio=17=op,dh` in config.txt does: an output before any agent, and nobody's."""
    value = gpiod.line.Value.ACTIVE if level else gpiod.line.Value.INACTIVE
    settings = gpiod.LineSettings(direction=gpiod.line.Direction.OUTPUT, output_value=value)
    chip.pull(pin, level)
    with gpiod.request_lines(str(chip.path), config={pin: settings}):
        pass
    with closing(gpiod.Chip(str(chip.path))) as opened:
        assert opened.get_line_info(pin).direction is gpiod.line.Direction.OUTPUT
    chip.edges(pin)


def test_a_lamp_that_was_on_is_on_again(chip: Chip, start: Start, saw: Callable[[str], None]) -> None:
    life = start()
    assert life.command("lamp", "on").outcome == "executed"
    assert chip.edges(LAMP) == [0]
    life.kill()
    assert chip.edges(LAMP) == [1], "this kernel lets it go, and its resistor pulls"
    life = start()
    state = life.state("lamp")
    edges = chip.edges(LAMP)
    saw(f"kill -9, boot = restore, on by the ledger, its pull is off: state {state.value}, edges since {edges}")
    assert (state.value, edges) == ("on", [0])
    assert life.command("lamp", "off").outcome == "executed"
    life.kill()
    chip.edges(LAMP)
    assert start().state("lamp").value == "off"
    assert chip.edges(LAMP) == []


def test_a_lamp_whose_resistor_switches_it_on_is_off_again(
    chip: Chip, start: Start, saw: Callable[[str], None]
) -> None:
    chip.pull(LAMP, 0)
    life = start()
    life.state("lamp")
    chip.edges(LAMP)
    life.kill()
    assert chip.edges(LAMP) == [0], "it falls to the wrong side"
    state = start().state("lamp")
    edges = chip.edges(LAMP)
    saw(f"kill -9, boot = restore, off by the ledger, its pull is on: state {state.value}, edges since {edges}")
    assert (state.value, edges) == ("off", [1])


def test_a_line_that_stood_makes_no_edge(chip: Chip, start: Start, saw: Callable[[str], None]) -> None:
    life = start()
    life.command("lamp", "on")
    chip.pull(LAMP, 0)
    chip.edges(LAMP)
    life.kill()
    state = start().state("lamp")
    edges = chip.edges(LAMP)
    saw(f"kill -9, the line keeps its level: state {state.value}, edges since {edges}")
    assert (state.value, edges) == ("on", [])


def test_a_pump_rests_before_it_runs_again(chip: Chip, start: Start, saw: Callable[[str], None]) -> None:
    life = start()
    life.state("pump")
    assert life.command("pump", "on").outcome == "rejected", "nobody knows how long it has been off"
    life.state("pump", lambda _state: life.command("pump", "on").outcome == "executed")
    chip.edges(PUMP)
    killed = time.time()
    life.kill()
    assert chip.edges(PUMP) == [0]
    life = start()
    first = life.state("pump")
    assert (first.value, chip.edges(PUMP)) == ("off", [])
    again = life.state("pump", lambda state: state.value == "on")
    rest = again.since.timestamp() - killed
    edges = chip.edges(PUMP)
    saw(f"kill -9, min_off = 4 s, on by the ledger: off first, then edges {edges} {rest:.1f} s after the kill")
    assert edges == [1]
    assert rest >= 4.0


@pytest.mark.parametrize("remembered", ["off", None])
def test_what_the_firmware_switched_on_is_not_ours(
    chip: Chip, start: Start, saw: Callable[[str], None], remembered: str | None
) -> None:
    if remembered is not None:
        life = start(boot="the boot before")
        life.command("lamp", "on")
        life.command("lamp", "off")
        life.kill()
    held_by_firmware(chip, LAMP, 0)
    state = start().state("lamp")
    edges = chip.edges(LAMP)
    saw(f"an output that is on before us, ledger of another boot says {remembered}: {state.value}, edges {edges}")
    assert (state.value, edges) == ("off", [1])


def test_of_an_interlock_none_is_on_after_a_kill(chip: Chip, start: Start) -> None:
    group = {"kind": "switch", "interlock": "motor", "dead_time": 3.0}
    devices = (
        {"id": "up", "name": "Up", "pin": UP, **group},
        {"id": "down", "name": "Down", "pin": DOWN, **group},
    )
    life = start(devices)
    life.state("up", lambda _state: life.command("up", "on").outcome == "executed")
    life.kill()
    chip.edges(UP), chip.edges(DOWN)
    life = start(devices)
    assert (life.state("up").value, life.state("down").value) == ("off", "off")
    assert life.command("down", "on").reason == "too-soon"
    assert (chip.edges(UP), chip.edges(DOWN)) == ([], [])
