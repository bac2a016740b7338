"""What every kind of output shares: where it stands, and the steps it takes from there.

Kinds are pure: they never touch a pin. They get the time as `now` (monotonic seconds) and return the levels to
write and where the output stands once these are written. Levels are logical: 0 or 1, with PWM 0 to 100.
"""

from typing import Literal, NamedTuple, Protocol

import msgspec

from shared.messages import Value
from shared.names import Action

BootPolicy = Literal["off", "on", "restore"]


class Write(NamedTuple):
    """One pin to be set to one logical level."""

    pin: int
    level: int


class Motion(msgspec.Struct, frozen=True, kw_only=True):
    """A cover's way: relay `direction` (1 opens, -1 closes, 0 waits) since `started`, towards `target`, then `goal`."""

    direction: int
    started: float
    target: int
    goal: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where an output stands. Times are monotonic seconds.

    `value` is what is reported; at `deadline` the output wants its `tick`; before `ready_at` it refuses or waits.
    `position` and `motion` are a cover's.
    """

    value: Value
    deadline: float | None = None
    ready_at: float = 0.0
    position: float | None = None
    motion: Motion | None = None


class Step(NamedTuple):
    """Levels to write, in this order, and where the output stands then."""

    standing: Standing
    writes: tuple[Write, ...] = ()


class Last(NamedTuple):
    """What the ledger remembers of a device: its value, and how many seconds ago (by the wall clock) it changed."""

    value: Value
    seconds_ago: float


class Birth(NamedTuple):
    """What is known of an output when the agent starts.

    `levels` are those still driven on its pins, None where a pin is not an output now. `interrupted`: a command
    on it was begun and not finished.
    """

    policy: BootPolicy
    levels: tuple[int | None, ...]
    last: Last | None
    interrupted: bool


class Output(Protocol):
    """One output of any kind."""

    @property
    def pins(self) -> tuple[int, ...]:
        """The pins it writes."""

    def boot(self, birth: Birth, now: float, /) -> Step:
        """The first step; its writes name the initial level of every pin."""

    def act(self, standing: Standing, action: Action, value: int | None, now: float, /) -> Step:
        """Obey. Raises HomeError where the device's own limits forbid it now."""

    def tick(self, standing: Standing, now: float, /) -> Step:
        """The deadline has come."""

    def halt(self, standing: Standing, now: float, /) -> Step:
        """The agent ends: nothing may be left on that only the agent would switch off."""

    def seen(self, standing: Standing, levels: tuple[int, ...], /) -> Standing:
        """Where it stands when a write failed and `levels` were read back."""
