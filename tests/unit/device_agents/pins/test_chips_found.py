"""Which chip is meant: by path, by label, and after it went away."""

from pathlib import Path

import pytest

from device_agents.pins import chips
from device_agents.pins.chips import AwayError
from shared.running.config import EX_CONFIG, EX_TEMPFAIL, ConfigError
from tests.unit.device_agents.pins.wires import FakeGpiod


class Machine:
    """A machine whose chips come and go."""

    def __init__(self, devices: Path) -> None:
        self.devices = devices
        self.gpiod = FakeGpiod()
        self.gpiod.name = "none"

    def plug(self, number: int, label: str, lines: int = 8) -> Path:
        name = f"gpiochip{number}"
        chip = FakeGpiod(label=label, lines=lines)
        chip.name = name
        self.gpiod.others[name] = chip
        (self.devices / name).touch()
        return self.devices / name

    def plug_into(self, place: str, number: int, label: str) -> Path:
        """On a kernel that says what a chip is plugged into."""
        path = self.plug(number, label)
        (chips.PLACES.parent / place / path.name).mkdir(parents=True)
        (chips.PLACES / path.name).symlink_to(chips.PLACES.parent / place / path.name)
        return path

    def unplug(self, path: Path) -> None:
        del self.gpiod.others[path.name]
        path.unlink()
        (chips.PLACES / path.name).unlink(missing_ok=True)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    devices = tmp_path / "dev"
    devices.mkdir()
    monkeypatch.setattr(chips, "DEVICES", devices)
    monkeypatch.setattr(chips, "PLACES", tmp_path / "places")
    chips.PLACES.mkdir()
    return Machine(devices)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def test_a_chip_is_found_by_its_label_whatever_its_number(machine: Machine) -> None:
    machine.plug(0, "pinctrl-bcm2711", 58)
    path = machine.plug(3, "expander")
    assert chips.find(machine.gpiod, Path("expander")).path == path
    machine.unplug(path)
    with pytest.raises(AwayError, match="none is called 'expander'; there is: pinctrl-bcm2711") as away:
        chips.find(machine.gpiod, Path("expander"))
    assert away.value.exit_code == EX_TEMPFAIL
    assert chips.find(machine.gpiod, Path("expander" if machine.plug(4, "expander") else "")).path.name == "gpiochip4"


def test_a_second_name_of_a_chip_is_no_second_chip(machine: Machine) -> None:
    path = machine.plug(0, "pinctrl-rp1", 54)
    (machine.devices / "gpiochip4").symlink_to(path)
    assert chips.find(machine.gpiod, Path("pinctrl-rp1")).path == path


def test_two_of_one_label_are_refused_with_their_paths(machine: Machine) -> None:
    one, other = machine.plug(1, "expander"), machine.plug(2, "expander")
    with pytest.raises(
        ConfigError, match=f"{one} and {other} are all called 'expander'; name the one by its path"
    ) as told:
        chips.find(machine.gpiod, Path("expander"))
    assert told.value.exit_code == EX_CONFIG


def test_a_path_that_is_not_there_is_waited_for_rather_than_given_up(machine: Machine, run: Path) -> None:
    with pytest.raises(AwayError, match=r"there is no .*gpiochip1; gpiodetect lists"):
        chips.find(machine.gpiod, machine.devices / "gpiochip1", run)


def test_a_chip_by_path_is_found_under_its_next_number_and_no_other_is_taken_for_it(
    machine: Machine, run: Path
) -> None:
    path = machine.plug(1, "expander")
    assert chips.find(machine.gpiod, path, run).path == path
    machine.unplug(path)
    machine.plug(1, "other")
    machine.plug(2, "expander", lines=16)
    with pytest.raises(AwayError, match=r"\(expander\) went away; plug it in again"):
        chips.find(machine.gpiod, path, run)
    back = machine.plug(5, "expander")
    assert chips.find(machine.gpiod, path, run).path == back
    for note in run.iterdir():  # the board boots
        note.unlink()
    assert chips.find(machine.gpiod, path, run).label == "other"


def test_of_two_that_are_alike_none_is_taken_for_the_other(machine: Machine, run: Path) -> None:
    path, twin = machine.plug(1, "expander"), machine.plug(2, "expander")
    known = chips.find(machine.gpiod, path, run)
    machine.unplug(path)
    assert chips.again_there(machine.gpiod, known) is None
    with pytest.raises(AwayError):
        chips.find(machine.gpiod, path, run)
    machine.plug(3, "expander")
    assert chips.again_there(machine.gpiod, known) is None
    machine.plug(1, "expander")
    again = chips.again_there(machine.gpiod, known)
    assert again is not None
    assert again.path == path != twin


def test_a_note_that_makes_no_sense_or_cannot_be_kept_stops_nobody(machine: Machine, run: Path) -> None:
    path = machine.plug(1, "expander")
    (run / "chip").write_text("{")
    assert chips.find(machine.gpiod, path, run).label == "expander"
    assert chips.find(machine.gpiod, path, run / "none").label == "expander"


def test_no_twin_that_came_a_moment_later_is_taken_for_the_chip(machine: Machine, run: Path) -> None:
    path = machine.plug_into("usb1", 3, "expander")
    known = chips.find(machine.gpiod, path, run)
    machine.plug_into("usb2", 4, "expander")
    machine.unplug(path)
    assert chips.again_there(machine.gpiod, known) is None
    with pytest.raises(AwayError):
        chips.find(machine.gpiod, path, run)
    machine.plug_into("usb1", 5, "expander")
    again = chips.again_there(machine.gpiod, known)
    assert again is not None
    assert again.path.name == "gpiochip5"
    assert chips.find(machine.gpiod, path, run).path.name == "gpiochip5"


def test_a_twin_under_the_number_of_the_chip_is_not_the_chip(machine: Machine, run: Path) -> None:
    path = machine.plug_into("usb1", 3, "expander")
    chips.find(machine.gpiod, path, run)
    machine.unplug(path)
    machine.plug_into("usb2", 3, "expander")
    with pytest.raises(AwayError):
        chips.find(machine.gpiod, path, run)
