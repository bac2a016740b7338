"""A GPIO chip of the running kernel, made of nothing by gpio-sim, and what its wires do seen through the kernel's eyes.

Needs root, configfs and a kernel with CONFIG_GPIO_SIM; nothing here ever touches a chip that has wires.
"""

import contextlib
import importlib
import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from device_agents.pins.chips import find
from device_agents.pins.gpiod import GpiodPins
from device_agents.pins.pins import Pins
from device_agents.pins.rpi import RpiPins
from tests.unit.device_agents.pins.benches import CONTACT, LAMP, USES

CONFIG = Path("/sys/kernel/config/gpio-sim")
TRACE = Path("/sys/kernel/tracing")
LINES = 32
NONE: Mapping[int, str] = {}
PI_4 = "c03111"
"""A board's revision, which rpi-lgpio wants to know."""


class Chip:
    """One simulated chip. The wires' resistors are gpio-sim's pulls; the kernel's trace tells what was set."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._look()

    def _look(self) -> None:
        name = (self._config / "bank/chip_name").read_text().strip()
        device = (self._config / "dev_name").read_text().strip()
        self.path = Path("/dev") / name
        self.number = name.removeprefix("gpiochip")
        self._lines = Path("/sys/devices/platform") / device / name
        # The trace counts all lines of all chips; debugfs tells where a chip begins only before Linux 7.
        bases = [path / "base" for path in Path("/sys/class/gpio").glob("gpiochip*") if _is_of(path, device)]
        assert len(bases) == 1, bases
        self.base = int(bases[0].read_text())
        self._set: dict[int, list[int]] = defaultdict(list)
        lines = int((self._config / "bank/num_lines").read_text())
        self._known = {pin: self.level(pin) for pin in range(lines)}

    def pull(self, pin: int, level: int) -> None:
        (self._lines / f"sim_gpio{pin}/pull").write_text("pull-up" if level else "pull-down")

    def level(self, pin: int) -> int:
        return int((self._lines / f"sim_gpio{pin}/value").read_text())

    def edges(self, pin: int) -> list[int]:
        """What was set since the last time, and where the line is now, wherever that differs from what was before."""
        for set_ in re.finditer(r"gpio_value: (\d+) set ([01])", (TRACE / "trace").read_text()):
            self._set[int(set_[1]) - self.base].append(int(set_[2]))
        (TRACE / "trace").write_text("")
        edges: list[int] = []
        before = self._known[pin]
        self._known[pin] = self.level(pin)
        for level in (*self._set.pop(pin, []), self._known[pin]):
            if level != before:
                edges.append(level)
                before = level
        return edges

    def unplug(self) -> None:
        (self._config / "live").write_text("0")

    def plug(self) -> None:
        """Back again; where somebody still holds the one that was unplugged, under the next number."""
        (self._config / "live").write_text("1")
        (TRACE / "trace").write_text("")
        self._look()


def _is_of(place: Path, device: str) -> bool:
    return (place / "device").resolve() == Path("/sys/devices/platform") / device


@contextlib.contextmanager
def made(name: str = "", *, label: str = "", lines: int = LINES, named: Mapping[int, str] = NONE) -> Iterator[Chip]:
    """A chip for one test, and another with another `name`; skips the test where this kernel makes none."""
    if os.geteuid() != 0:
        pytest.skip("a simulated GPIO chip needs root")
    if (modprobe := shutil.which("modprobe")) is not None:
        subprocess.run([modprobe, "--quiet", "gpio-sim"], check=False)
    if not CONFIG.is_dir():
        pytest.skip("this kernel makes no simulated GPIO chips (CONFIG_GPIO_SIM, configfs)")
    if not (TRACE / "trace").exists():
        pytest.skip("this kernel does not tell what happens on a simulated GPIO chip (tracefs)")
    config = CONFIG / f"homesystem-{os.getpid()}{name}"
    (config / "bank").mkdir(parents=True)
    traced = TRACE / "events/gpio/gpio_value/enable"
    try:
        (config / "bank/num_lines").write_text(str(lines))
        if label:
            (config / "bank/label").write_text(label)
        for pin, line in named.items():
            (config / f"bank/line{pin}").mkdir()
            (config / f"bank/line{pin}/name").write_text(line)
        (config / "live").write_text("1")
        traced.write_text("1")
        (TRACE / "trace").write_text("")
        yield Chip(config)
    finally:
        traced.write_text("0")
        if (config / "live").read_text().strip() == "1":
            (config / "live").write_text("0")
        for pin in named:
            (config / f"bank/line{pin}").rmdir()
        (config / "bank").rmdir()
        config.rmdir()


class ChipBench:
    """Pins on a simulated chip: `start` makes those of a new process."""

    keeps = False

    def __init__(self, chip: Chip, start: Callable[[], Pins], *, looks: bool) -> None:
        self._chip, self._start = chip, start
        self.looks = looks
        for pin in (LAMP, CONTACT):
            self.rests(pin, 1)
            self.edges(pin)

    def pins(self) -> Pins:
        return self._start()

    def failing(self) -> Pins:
        pins = self.pins()
        self._chip.unplug()
        return pins

    def rests(self, pin: int, level: int) -> None:
        self._chip.pull(pin, level)

    def drive(self, pin: int, level: int) -> None:
        self._chip.pull(pin, level)

    def hold(self, pin: int) -> None:
        raise NotImplementedError("gpio-sim has no hand that holds an output")

    def wire(self, pin: int) -> int:
        return self._chip.level(pin)

    def edges(self, pin: int) -> list[int]:
        return self._chip.edges(pin)


def gpiod(chip: Chip) -> ChipBench:
    library = pytest.importorskip("gpiod", reason="needs the package gpiod")
    return ChipBench(chip, lambda: GpiodPins(library, find(library, chip.path), "hall", USES), looks=True)


@contextlib.contextmanager
def rpi5(chip: Chip, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChipBench]:
    monkeypatch.setenv("LG_WD", str(folder))
    monkeypatch.setenv("RPI_LGPIO_CHIP", chip.number)
    monkeypatch.setenv("RPI_LGPIO_REVISION", PI_4)
    lgpio = pytest.importorskip("lgpio", reason="needs the package rpi-lgpio")
    gpio: Any = importlib.import_module("RPi.GPIO")
    if not hasattr(gpio, "lgpio"):
        pytest.skip("RPi.GPIO itself moves real pins only; rpi-lgpio takes its place in tests")

    def end() -> None:
        """The library keeps its lines for as long as the process lives; this is what the process's end does."""
        if gpio._chip is not None:
            lgpio.gpiochip_close(gpio._chip)
            gpio._chip, gpio._mode = None, gpio.UNKNOWN

    def start() -> Pins:
        end()
        return RpiPins(gpio, USES)

    yield ChipBench(chip, start, looks=False)
    end()
