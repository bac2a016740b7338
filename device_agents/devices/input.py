"""What every kind of input shares: edges are waited out until the level holds still, then they mean something.

Pure like the outputs: `now` is monotonic seconds, levels are logical (1: the contact is closed, the button down,
motion seen).
"""

from typing import Literal, NamedTuple, Protocol

import msgspec

from shared.words.messages import Value

Happening = Literal["press", "double", "long", "motion"]


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """Where an input stands. Times are monotonic seconds.

    `level` is the last one that held still. At `settle_at` a new one has held still long enough; at `due_at` the
    kind itself wants to look again (a hold time, a gesture). `clicks` and `down_since` are a button's.
    """

    value: Value
    level: int
    settle_at: float | None = None
    due_at: float | None = None
    clicks: int = 0
    down_since: float | None = None

    @property
    def deadline(self) -> float | None:
        """When the input wants its `tick`."""
        if self.settle_at is None or self.due_at is None:
            return self.due_at if self.settle_at is None else self.settle_at
        return min(self.settle_at, self.due_at)


class Told(NamedTuple):
    """Where an input stands now, and what happened on the way."""

    signal: Signal
    events: tuple[Happening, ...] = ()


class Input(Protocol):
    """One input of any kind."""

    @property
    def pin(self) -> int:
        """The pin it reads."""

    def start(self, level: int) -> Signal:
        """The agent starts and reads `level`."""

    def edge(self, signal: Signal, now: float) -> Signal:
        """The pin changed, or bounced."""

    def tick(self, signal: Signal, level: int, now: float) -> Told:
        """The deadline has come, and the pin reads `level`."""


def unsettled(signal: Signal, debounce: float, now: float) -> Signal:
    """After an edge: wait until nothing has happened for `debounce` seconds."""
    return msgspec.structs.replace(signal, settle_at=now + debounce)


def settle(signal: Signal, level: int, now: float) -> tuple[Signal, bool]:
    """Take `level` where it has held still long enough; whether it is a new one."""
    if signal.settle_at is None or now < signal.settle_at:
        return signal, False
    return msgspec.structs.replace(signal, level=level, settle_at=None), level != signal.level
