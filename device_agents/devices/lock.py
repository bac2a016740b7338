"""A lock: its relay is energised to unlock, so that no power means locked."""

import msgspec

from device_agents.devices.output import Birth, Standing, Step, Write
from shared.names import Action

LOCKED = "locked"
UNLOCKED = "unlocked"
JAMMED = "jammed"


class Lock:
    """One relay. However the agent ended, a lock starts locked."""

    def __init__(self, pin: int) -> None:
        self._pin = pin

    @property
    def pins(self) -> tuple[int, ...]:
        """The relay's pin."""
        return (self._pin,)

    def boot(self, _birth: Birth, _now: float) -> Step:
        """Locked, whatever was before: nobody asked for an open door by restarting something."""
        return self._turn(unlocked=False)

    def act(self, _standing: Standing, action: Action, _value: int | None, _now: float) -> Step:
        """Lock or unlock."""
        return self._turn(unlocked=action is Action.UNLOCK)

    def tick(self, standing: Standing, _now: float) -> Step:
        """A lock has no deadline."""
        return Step(standing)

    def halt(self, standing: Standing, _now: float) -> Step:
        """Stays as it is."""
        return Step(standing)

    def seen(self, standing: Standing, _levels: tuple[int, ...]) -> Standing:
        """A lock that does not follow is jammed, whichever way it was turned."""
        return msgspec.structs.replace(standing, value=JAMMED)

    def _turn(self, *, unlocked: bool) -> Step:
        return Step(Standing(value=UNLOCKED if unlocked else LOCKED), (Write(self._pin, int(unlocked)),))
