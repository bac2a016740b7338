"""A dimmer: a brightness from 0 to 100 by PWM, at most `max_on` seconds above 0."""

import msgspec

from device_agents.devices.output import Birth, Standing, Step, Write
from shared.names import FULL, Action


class Dimmer:
    """One PWM pin. `on` means full brightness: every wish is absolute."""

    def __init__(self, pin: int, *, max_on: float | None = None) -> None:
        self._pin = pin
        self._max_on = max_on

    @property
    def pins(self) -> tuple[int, ...]:
        """The PWM pin."""
        return (self._pin,)

    def boot(self, birth: Birth, now: float) -> Step:
        """Off, full, or the last brightness: PWM ends with its process, so only the ledger knows it."""
        brightness = FULL if birth.policy == "on" else 0
        if birth.policy == "restore" and birth.last is not None and isinstance(birth.last.value, int):
            brightness = birth.last.value
        return self._set(brightness, Standing(value=0), now)

    def act(self, standing: Standing, action: Action, value: int | None, now: float) -> Step:
        """Full, off, or the brightness `value`."""
        return self._set({Action.ON: FULL, Action.OFF: 0}.get(action, value or 0), standing, now)

    def tick(self, standing: Standing, now: float) -> Step:
        """`max_on` is over."""
        return self._set(0, standing, now)

    def halt(self, standing: Standing, now: float) -> Step:
        """Stays as it is, unless only the agent would ever end it."""
        return self._set(0, standing, now) if standing.deadline is not None else Step(standing)

    def seen(self, standing: Standing, levels: tuple[int, ...]) -> Standing:
        """The brightness as read; a deadline stays for as long as it shines."""
        deadline = standing.deadline if levels[0] > 0 else None
        return msgspec.structs.replace(standing, value=levels[0], deadline=deadline)

    def _set(self, brightness: int, standing: Standing, now: float) -> Step:
        deadline = None
        if brightness > 0 and self._max_on is not None:
            deadline = standing.deadline if standing.deadline is not None else now + self._max_on
        return Step(Standing(value=brightness, deadline=deadline), (Write(self._pin, brightness),))
