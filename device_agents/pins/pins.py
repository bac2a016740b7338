"""The pins, as the loop sees them: logical levels, whatever the wiring. `rpi` and `simulated` implement it."""

import errno
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


class Changed(Protocol):
    """Told of an edge of an input, from any thread: `level` is what it became, at `at` (monotonic seconds).

    None where a library does not say: then it is what the pin reads now, and now. `missed`: of edges before this one
    nothing is known. Where `level` is told, no pin may be read from within.
    """

    def __call__(self, pin: int, level: int | None = None, at: float | None = None, *, missed: bool = False) -> None:
        """See above."""


class Board(Protocol):
    """Told, from any thread, that what the pins are on has gone away, and that it is there again.

    These pins stay dead: a new process, with all that a start asks, has those that are there.
    """

    def __call__(self, *, there: bool) -> None:
        """See above."""


class Pins(Protocol):
    """Every pin of a room. Only the loop calls it, save that whoever is told of an edge without its level may `read`.

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
        """The level of an output as it really is, or of an input.

        Of an input every edge until now has been told when this returns, as far as a library can.
        """

    def watch(self, changed: Changed, board: Board) -> None:
        """Make the inputs what they are for; from now on `changed` is called for each edge, and `board` if it goes."""

    def close(self) -> None:
        """Let go without changing any level."""


_NEXT_STEPS = {
    errno.ENODEV: "; plug its chip in again, and the room starts anew by itself",
    errno.ENXIO: "; its chip tells no edges, so it is good for outputs only (an expander needs its interrupt wired)",
}


class translated:  # noqa: N801 - reads as a word: `with translated(pin)`
    """Whatever a pins' library raises becomes HomeError("pin-failed")."""

    def __init__(self, *pins: int) -> None:
        self._pins = pins

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        # RPi.GPIO raises RuntimeError and ValueError, rpi-lgpio its own lgpio.error besides, gpiod OSError as well.
        if isinstance(error, Exception):
            step = _NEXT_STEPS.get(error.errno or 0, "") if isinstance(error, OSError) else ""
            raise HomeError("pin-failed", f"pin {', '.join(map(str, self._pins))}: {error}{step}") from error
