"""A process that holds one output as the agent does. Forked, since Python takes seconds to start under emulation."""

import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

import pytest

from device_agents.pins import chips, gpiod, rpi
from device_agents.pins.gpiod import GpiodPins
from device_agents.pins.pins import Pins, PinUse
from device_agents.pins.rpi import RpiPins
from tests.house import DEADLINE
from tests.unit.device_agents.pins.chips import PI_4

Kind = Literal["gpiod", "rpi-lgpio"]
ENDS = ("stops", "ends without letting go", "is killed with -9", "is killed with SIGTERM")
_FORK = multiprocessing.get_context("fork")


class Holder:
    """It claims `pin` at `level`; `found` is what it saw driven before."""

    def __init__(self, kind: Kind, chip: Path, pin: int, level: int, folder: Path) -> None:
        self._line, theirs = _FORK.Pipe()
        self._process = _FORK.Process(target=_hold, args=(kind, chip, pin, level, folder, theirs), daemon=True)
        self._process.start()
        theirs.close()
        if not self._line.poll(DEADLINE):
            pytest.fail(f"{kind} did not claim {chip} {pin}")
        self.found: int | None = self._line.recv()

    def end(self, how: str) -> None:
        """One of ENDS; returns when it is gone."""
        assert self._process.pid is not None
        if how == "is killed with -9":
            self._process.kill()
        elif how == "is killed with SIGTERM":
            self._process.terminate()
        else:
            self._line.send(how)
        self._process.join(DEADLINE)
        assert self._process.exitcode is not None

    def freeze(self) -> None:
        """Until `thaw`."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self) -> None:
        """It goes on."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGCONT)


def _hold(kind: Kind, chip: Path, pin: int, level: int, folder: Path, line: Connection) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    number = chip.name.removeprefix("gpiochip")
    os.environ |= {"LG_WD": str(folder), "RPI_LGPIO_CHIP": number, "RPI_LGPIO_REVISION": PI_4}
    use = PinUse(pin=pin, device="lamp", output=True)
    pins: Pins
    if kind == "gpiod":
        pins = GpiodPins(gpiod.load(), chips.find(gpiod.load(), chip), "hall", [use])
    else:
        pins = RpiPins(rpi.load(), [use])
    found = pins.driven(pin)
    pins.claim(pin, level)
    line.send(found)
    if line.recv() == "stops":
        pins.close()
    os._exit(0)
