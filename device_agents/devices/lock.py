"""A lock: its relay is energised to unlock, so that no power means locked."""

import msgspec

from device_agents.devices.output import Birth, Standing, Step, Write
from shared.words.names import Action

LOCKED = "locked"
UNLOCKED = "unlocked"
JAMMED = "jammed"


class Lock:
    """One relay. However the agent ended, a lock starts locked.

    With `relock_after` it locks by itself so many seconds after the last `unlock`, but never into an open door: it
    waits until the door is closed.
    """

    def __init__(self, pin: int, *, relock_after: float | None = None) -> None:
        self._pin = pin
        self._relock_after = relock_after

    @property
    def pins(self) -> tuple[int, ...]:
        """The relay's pin."""
        return (self._pin,)

    def boot(self, _birth: Birth, now: float) -> Step:
        """Locked, whatever was before: nobody asked for an open door by restarting something."""
        return self.rest(Standing(value=LOCKED), now)

    def act(self, standing: Standing, action: Action, _value: int | None, now: float) -> Step:
        """Lock or unlock."""
        if action is not Action.UNLOCK:
            return self.rest(standing, now)
        deadline = None if self._relock_after is None else now + self._relock_after
        unlocked = Standing(value=UNLOCKED, deadline=deadline, door_open=standing.door_open)
        return Step(unlocked, (Write(self._pin, 1),))

    def tick(self, standing: Standing, now: float) -> Step:
        """Time to lock by itself, or as soon as the door is closed: unlocked without a deadline, it waits for that."""
        if standing.door_open:
            return Step(msgspec.structs.replace(standing, deadline=None))
        return self.rest(standing, now)

    def door(self, standing: Standing, now: float, *, is_open: bool) -> Standing:
        """The door was opened or closed."""
        waits = self._relock_after is not None and standing.value == UNLOCKED and standing.deadline is None
        deadline = now if waits and not is_open else standing.deadline
        return msgspec.structs.replace(standing, door_open=is_open, deadline=deadline)

    def halt(self, standing: Standing, now: float) -> Step:
        """Stays as it is, unless it was to lock by itself: nobody else would."""
        if standing.value == UNLOCKED and self._relock_after is not None:
            return self.rest(standing, now)
        return Step(standing)

    def rest(self, standing: Standing, _now: float) -> Step:
        """Locked."""
        return Step(Standing(value=LOCKED, door_open=standing.door_open), (Write(self._pin, 0),))

    def seen(self, standing: Standing, _levels: tuple[int | None, ...]) -> Standing:
        """A lock that does not follow is jammed, whichever way it was turned."""
        return msgspec.structs.replace(standing, value=JAMMED)
