"""The pins, as the loop sees them: logical levels, whatever the wiring. `rpi` and `simulated` implement it."""

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from shared.words.problem import HomeError

Pull = Literal["up", "down", "none"]


class PinUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one pin is for. `frequency` (Hz) makes an output a PWM one, with levels 0 to 100."""

    pin: int
    device: str
    output: bool
    active_low: bool = False
    frequency: int | None = None
    pull: Pull = "none"
    values: tuple[str, ...] = ()
    """What a simulated input may be driven to; see device_agents.pins.simulated."""
    idle: int = 0
    """What a simulated input reads before anybody drove it."""


class Pins(Protocol):
    """Every pin of a room. Only the loop calls it, save that whoever is told of an edge may `read` that pin at once.

    Every method may raise HomeError("pin-failed").
    """

    def driven(self, pin: int) -> int | None:
        """What a line reads that is an output already, before we made it one (PWM: 0 or 1).

        None where it is none, and where a library cannot look at a line without moving it. Who made it one nobody
        says: an earlier process, the firmware; and some drivers call an output what has become an input.
        """

    def claim(self, pin: int, level: int) -> None:
        """Make it the output that it is for, at `level` from the first instant."""

    def write(self, pin: int, level: int) -> None:
        """Set an output."""

    def read(self, pin: int) -> int:
        """The level of an output as it really is, or of an input."""

    def watch(self, changed: Callable[[int], None]) -> None:
        """Make the inputs what they are for; from now on `changed(pin)` is called, from any thread, for each edge."""

    def close(self) -> None:
        """Let go without changing any level."""


class translated:  # noqa: N801 - reads as a word: `with translated(pin)`
    """Whatever a pins' library raises becomes HomeError("pin-failed")."""

    def __init__(self, *pins: int) -> None:
        self._pins = pins

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        # RPi.GPIO raises RuntimeError and ValueError, rpi-lgpio its own lgpio.error besides, gpiod OSError as well.
        if isinstance(error, Exception):
            raise HomeError("pin-failed", f"pin {', '.join(map(str, self._pins))}: {error}") from error
