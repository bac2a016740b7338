"""From this side, a process on the board that has a room's pins: see tests/pins/board/aboard/hands.py."""

import itertools
import json
import signal
from typing import Any, Literal

import msgspec

from device_agents.pins.pins import PinUse
from tests.pins.board.machine import Board, BoardError

LAMP, HEATER, CONTACT, DIMMER, CONSOLE = 17, 27, 22, 18, 14
RELEASED = {LAMP: 1, HEATER: 0, DIMMER: 0}
"""Where each output's resistor pulls its wire: to the level at which the relay is released, as docs/wiring.md wants."""
OUTPUTS = (
    PinUse(pin=LAMP, device="lamp", output=True, active_low=True),
    PinUse(pin=HEATER, device="heater", output=True),
)
CONTACTS = (PinUse(pin=CONTACT, device="contact", output=False, active_low=True, pull="up"),)
DIMMERS = (PinUse(pin=DIMMER, device="dimmer", output=True, frequency=100),)
LABEL = "pinctrl-bcm2835"
CHIP = "/dev/gpiochip0"
INPUT, OUTPUT = 0, 1
Ending = Literal["stopped", "killed"]
ENDINGS: tuple[Ending, ...] = ("stopped", "killed")
_numbers = itertools.count()


class RaisedError(Exception):
    """What the library, or ours, raised on the board."""


class Hands:
    """`library` as the board's side takes it. Ended by `end`."""

    def __init__(self, board: Board, library: str, uses: tuple[PinUse, ...], chip: str = LABEL) -> None:
        self._board = board
        self._name = f"hands-{next(_numbers)}"
        written = msgspec.json.encode(uses).decode()
        board.do(do="start", name=self._name, command=["python3", "/aboard/hands.py", library, written, chip])

    def do(self, call: str, *arguments: int) -> Any:
        """A call of device_agents.pins.pins.Pins, or `make`. Raises RaisedError."""
        answer = self._board.do(do="ask", name=self._name, line=[call, *arguments])
        if "raised" in answer:
            raise RaisedError(answer["raised"])
        if "gave" not in answer:
            raise BoardError(str(answer))
        return answer["gave"]

    def end(self, ending: Ending) -> None:
        """As systemd stops an agent, or as nobody stops anything."""
        if ending == "killed":
            ended = self._board.do(do="end", name=self._name, signal=signal.SIGKILL)
            assert ended["code"] == -signal.SIGKILL
        else:
            self.do("close")
            assert self._board.do(do="stop", name=self._name)["code"] == 0


def levels(board: Board) -> dict[int, list[int]]:
    """What the wires of lamp and heater were since this was asked last; undriven they are as they are released."""
    return {pin: board.levels(pin, RELEASED[pin]) for pin in (LAMP, HEATER)}


def info(board: Board, line: int, chip: str = CHIP) -> dict[str, Any]:
    """What gpioinfo shows of a line."""
    said: dict[str, Any] = json.loads(board.run("python3", "/aboard/info.py", chip, str(line)))
    return said


def as_is(board: Board, line: int) -> tuple[int, str]:
    """What a process reads that takes a line as it stands, and the direction that it is told while it holds it."""
    value, direction = board.run("python3", "/aboard/as_is.py", CHIP, str(line)).split()
    return int(value), direction
