"""A dimmer: a brightness from 0 to 100 by PWM, at most `max_on` seconds above 0."""

import msgspec

from device_agents.devices.output import Birth, Standing, Step, Write, left_running, running_out
from shared.words.names import FULL, Action


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
        until = left_running(birth, self._max_on, now)
        if until is not None and until <= now:
            brightness = 0  # how much of `max_on` is left is not known: none
        (level,) = birth.levels
        if brightness and not level and now < birth.ready_at:
            return Step(Standing(value=0, deadline=birth.ready_at, resume=brightness), (Write(self._pin, 0),))
        return self._set(brightness, Standing(value=0, deadline=until), now)

    def act(self, standing: Standing, action: Action, value: int | None, now: float) -> Step:
        """Full, off, or the brightness `value`."""
        return self._set({Action.ON: FULL, Action.OFF: 0}.get(action, value or 0), standing, now)

    def tick(self, standing: Standing, now: float) -> Step:
        """`max_on` is over, or the rest before a resumption is."""
        return self._set(standing.resume, standing, now)

    def halt(self, standing: Standing, now: float) -> Step:
        """Stays as it is, unless only the agent would ever end it."""
        if standing.deadline is None or standing.resume:
            return Step(standing)
        return self.rest(standing, now)

    def rest(self, standing: Standing, now: float) -> Step:
        """Dark."""
        return self._set(0, standing, now)

    def seen(self, standing: Standing, levels: tuple[int | None, ...]) -> Standing:
        """The brightness as read."""
        return msgspec.structs.replace(standing, value=levels[0], resume=0)

    def _set(self, brightness: int, standing: Standing, now: float) -> Step:
        deadline = running_out(brightness > 0, standing, self._max_on, now)
        return Step(Standing(value=brightness, deadline=deadline), (Write(self._pin, brightness),))
