"""What every kind of output shares: where it stands, and the steps it takes from there.

Kinds are pure: they never touch a pin. They get the time as `now` (monotonic seconds) and return the levels to
write and where the output stands once these are written. Levels are logical: 0 or 1, with PWM 0 to 100.
"""

from typing import Literal, NamedTuple, Protocol

import msgspec

from shared.words.messages import Value
from shared.words.names import Action

BootPolicy = Literal["off", "on", "restore"]


class Write(NamedTuple):
    """One pin to be set to one logical level."""

    pin: int
    level: int


class Motion(msgspec.Struct, frozen=True, kw_only=True):
    """A cover's way: relay `direction` (1 opens, -1 closes, 0 waits) since `started`, towards `target`, then `goal`.

    `whole`: for the whole travel time, wherever it is thought to be.
    """

    direction: int
    started: float
    target: int
    goal: int
    whole: bool = False


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where an output stands. Times are monotonic seconds.

    `value` is what is reported; at `deadline` the output wants its `tick`; before `ready_at` it refuses or waits.
    `position` and `motion` are a cover's. `resume` is the level to which it goes at its deadline, 0 for none.
    `door_open` is what a lock knows of its door.
    """

    value: Value
    deadline: float | None = None
    ready_at: float = 0.0
    position: float | None = None
    motion: Motion | None = None
    resume: int = 0
    door_open: bool = False

    def later(self, now: float, seconds: float) -> "Standing":
        """The same, of a step that was thought of at `now` and whose pins moved so many seconds after that."""
        motion = self.motion
        if motion is not None and motion.started == now:
            motion = msgspec.structs.replace(motion, started=now + seconds)
        return msgspec.structs.replace(
            self,
            deadline=None if self.deadline is None else self.deadline + seconds,
            ready_at=self.ready_at + seconds if self.ready_at > now else self.ready_at,
            motion=motion,
        )


class Step(NamedTuple):
    """Levels to write, in this order, and where the output stands then."""

    standing: Standing
    writes: tuple[Write, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether something is driven afterwards, or will be without being asked again."""
        return any(write.level > 0 for write in self.writes) or self.standing.motion is not None


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger keeps of an output besides its state. Times are monotonic seconds of the board's boot `boot`.

    `active`: something was driven. `changed_at` is the last edge, `rested_at` since when nothing is driven.
    """

    boot: str
    active: bool
    changed_at: float
    rested_at: float
    deadline: float | None = None
    ready_at: float = 0.0


class Last(NamedTuple):
    """What the ledger remembers: the value, and the memory where it is of the same boot of the board.

    Monotonic time ends with a boot, and nobody knows how long the board was off: what is only known by time is
    then taken for the worst.
    """

    value: Value
    memory: Memory | None = None


class Birth(NamedTuple):
    """What is known of an output when the agent starts.

    `levels` are what its pins read that are outputs still, None where a pin is none now. `interrupted`: a command
    on it was begun and not finished. Before `ready_at` it may not be switched on. Not `ours`: an earlier process of
    this boot of the board did not leave the levels so, but a resistor did, or the firmware, or nobody knows who.
    """

    policy: BootPolicy
    levels: tuple[int | None, ...]
    last: Last | None
    interrupted: bool
    ready_at: float = 0.0
    ours: bool = True


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

    def rest(self, standing: Standing, now: float, /) -> Step:
        """Nothing driven, whatever it did: where an output goes whose pin does not follow."""

    def seen(self, standing: Standing, levels: tuple[int | None, ...], /) -> Standing:
        """Where it stands as long as it does not follow and reads `levels`; None is a pin that cannot be read."""


def running_out(on: bool, standing: Standing, max_on: float | None, now: float) -> float | None:
    """Until when an output with `max_on` may be on; an `on` while it is on never extends that."""
    if not on or max_on is None:
        return None
    return standing.deadline if standing.deadline is not None and not standing.resume else now + max_on


def left_running(birth: Birth, max_on: float | None, now: float) -> float | None:
    """The deadline that an output found switched on still has to keep; `now` or earlier where it has none left.

    None without `max_on`. What is not known to run longer has run out.
    """
    if max_on is None:
        return None
    memory = birth.last.memory if birth.last is not None else None
    if memory is None or not memory.active or memory.deadline is None:
        return now
    return min(memory.deadline, now + max_on)
