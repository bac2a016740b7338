"""A chip that is pulled out while its lines are held, and plugged in again: what is said meanwhile, and what moves."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gpiod
import pytest

from device_agents import config
from device_agents.__main__ import pins_when_there
from device_agents.pins import chips as found
from device_agents.pins.gpiod import GpiodPins
from shared.running.config import EX_TEMPFAIL
from tests.pins.inside.lives import Life
from tests.unit.device_agents.fakes import room_config
from tests.unit.device_agents.pins import chips
from tests.unit.device_agents.pins.chips import Chip

LAMP, HEATER, DOOR, BELL = 1, 2, 5, 6
DEVICES = (
    {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": LAMP, "boot": "restore", "active_low": True},
    {"id": "heater", "name": "Heater", "kind": "switch", "pin": HEATER, "max_on": 600.0, "boot": "restore"},
    {"id": "door", "name": "Door", "kind": "contact", "pin": DOOR},
    {"id": "bell", "name": "Bell", "kind": "button", "pin": BELL, "double_ms": 0},
)
Start = Callable[..., Life]


@pytest.fixture
def chip() -> Iterator[Chip]:
    with chips.made(label="expander", lines=8) as made:
        made.pull(LAMP, 1)
        made.edges(LAMP)
        yield made


@pytest.fixture
def start(chip: Chip, tmp_path: Path) -> Iterator[Start]:
    lives: list[Life] = []
    (tmp_path / "run").mkdir()
    path = chip.path

    def pins(room: config.RoomConfig) -> GpiodPins:
        return GpiodPins(gpiod, found.find(gpiod, path, tmp_path / "run"), "hall", config.pin_uses(room))

    def begin(devices: tuple[dict[str, Any], ...] = DEVICES) -> Life:
        lives.append(Life(tmp_path, devices, pins, pins="gpiod", chip=path, sim_dir=None))
        return lives[-1]

    yield begin
    for life in lives:
        life.kill()


@pytest.mark.parametrize("others", [False, True])
def test_a_chip_that_goes_away_and_comes_back(
    chip: Chip, start: Start, saw: Callable[[str], None], others: bool
) -> None:
    """Under its own number, or, where `others` hold it as well, under the next."""
    life = start()
    holding = gpiod.Chip(str(chip.path)) if others else contextlib.nullcontext()
    life.state("door", lambda state: state.value == "open")
    chip.pull(DOOR, 0)
    life.state("door", lambda state: state.value == "closed")
    assert life.command("lamp", "on").outcome == "executed"
    assert life.command("heater", "on").outcome == "executed"
    before = chip.path
    assert (chip.edges(LAMP), chip.edges(HEATER)) == ([0], [1])

    chip.unplug()
    door = life.state("door", lambda state: state.fault is not None)
    bell = life.state("bell", lambda state: state.fault is not None)
    lamp = life.state("lamp", lambda state: state.fault is not None)
    saw(f"pulled out: contact {door.value} {door.fault}, button {bell.fault}, lamp {lamp.value} {lamp.fault}")
    assert (door.value, door.fault, bell.fault) == (None, "sensor", "sensor")
    assert (lamp.value, lamp.fault) == (None, "mismatch")
    refused = life.command("lamp", "on")
    saw(f"a command meanwhile: {refused.outcome} {refused.reason}")
    assert refused.reason == "pin-failed"
    told = {(event.where, event.what) for event in life.events()}
    assert told >= {
        ("hall/door", "device:unreadable"),
        ("hall/bell", "device:unreadable"),
        ("hall/lamp", "device:mismatch"),
        ("hall/heater", "device:mismatch"),
    }

    chip.plug()
    with holding:
        pass
    chip.pull(LAMP, 1)
    chip.edges(LAMP), chip.edges(HEATER)
    code = life.ended()
    edges = (chip.edges(LAMP), chip.edges(HEATER))
    saw(f"plugged in again as {chip.path.name}, was {before.name}: exit code {code}, edges until then {edges}")
    assert code == EX_TEMPFAIL
    assert edges == ([], [])
    if others:  # else the number is free again, and Linux 6.12 gives it anew where 6.1 goes on counting
        assert chip.path != before

    life = start()
    lamp, heater = life.state("lamp"), life.state("heater")
    door = life.state("door", lambda state: state.value is not None)
    edges = (chip.edges(LAMP), chip.edges(HEATER))
    saw(f"the next start: lamp {lamp.value}, heater with max_on {heater.value}, contact {door.value}; edges {edges}")
    assert (lamp.value, heater.value, door.value, door.fault) == ("on", "off", "open", None)
    assert edges == ([0], [])
    back = {(event.where, event.what) for event in life.events()}
    assert back >= {("hall/door", "device:reads-again"), ("hall/lamp", "device:follows-again")}


def test_what_was_commanded_while_the_chip_was_away_never_moves_late(
    chip: Chip, start: Start, saw: Callable[[str], None]
) -> None:
    life = start()
    life.command("lamp", "on")
    chip.unplug()
    life.state("lamp", lambda state: state.fault is not None)
    refused = life.command("lamp", "off")
    assert (refused.outcome, refused.reason) == ("failed", "pin-failed")
    chip.plug()
    chip.pull(LAMP, 1)
    chip.edges(LAMP)
    assert life.ended() == EX_TEMPFAIL
    life = start()
    lamp = life.state("lamp")
    edges = chip.edges(LAMP)
    saw(f"switched off in vain while it was away, then back: lamp {lamp.value}, edges {edges}")
    assert (lamp.value, edges) == ("off", [])


def test_another_chip_that_took_the_number_is_left_alone(chip: Chip, start: Start, tmp_path: Path) -> None:
    life = start()
    life.state("lamp")
    life.kill()
    path = chip.path
    chip.unplug()
    with chips.made("other", label="other", lines=8) as other:
        if other.path != path:
            pytest.fail(f"the kernel gave {other.path}, and {path} was free")
        other.edges(LAMP)
        with pytest.raises(found.AwayError, match=r"expander\) went away"):
            found.find(gpiod, path, tmp_path / "run")
        chip.plug()
        assert found.find(gpiod, path, tmp_path / "run").path == chip.path != path
        assert other.edges(LAMP) == []


def test_a_start_waits_for_a_chip_that_comes_late(chip: Chip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chip.unplug()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    tries = []

    def one_more(_seconds: float) -> None:
        tries.append(1)
        if len(tries) == 3:
            chip.plug()

    monkeypatch.setattr("device_agents.__main__.time.sleep", one_more)
    room = room_config(tmp_path, DEVICES, pins="gpiod", chip=Path("expander"), sim_dir=None)
    _, pins = pins_when_there(room, lambda _now: None)
    pins.close()
    assert len(tries) == 3
