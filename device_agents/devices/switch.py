"""A switch: on or off, at most `max_on` seconds on."""

import msgspec

from device_agents.devices.output import Birth, Standing, Step, Write, left_running, running_out
from shared.words.names import Action


class Switch:
    """One relay. An `on` while it is on never extends `max_on`."""

    def __init__(self, pin: int, *, max_on: float | None = None) -> None:
        self._pin = pin
        self._max_on = max_on

    @property
    def pins(self) -> tuple[int, ...]:
        """The relay's pin."""
        return (self._pin,)

    def boot(self, birth: Birth, now: float) -> Step:
        """Off, on, or as it was: a level that is still ours stays, else the last known value counts."""
        (level,) = birth.levels
        last_on = birth.last is not None and birth.last.value == "on"
        was_on = level == 1 if level is not None and birth.ours else last_on
        on = birth.policy == "on" or (birth.policy == "restore" and was_on)
        until = left_running(birth, self._max_on, now)
        if until is not None and (level != 1 or until <= now):
            on = False  # how much of `max_on` is left is not known: none
        if on and level != 1 and now < birth.ready_at:
            return Step(Standing(value="off", deadline=birth.ready_at, resume=1), (Write(self._pin, 0),))
        return self._turn(Standing(value="off", deadline=until), now, on=on)

    def act(self, standing: Standing, action: Action, _value: int | None, now: float) -> Step:
        """On or off."""
        return self._turn(standing, now, on=action is Action.ON)

    def tick(self, standing: Standing, now: float) -> Step:
        """`max_on` is over, or the rest before a resumption is."""
        return self._turn(standing, now, on=standing.resume > 0)

    def halt(self, standing: Standing, now: float) -> Step:
        """Stays as it is, unless only the agent would ever end it."""
        if standing.deadline is None or standing.resume:
            return Step(standing)
        return self.rest(standing, now)

    def rest(self, standing: Standing, now: float) -> Step:
        """Off."""
        return self._turn(standing, now, on=False)

    def seen(self, standing: Standing, levels: tuple[int | None, ...]) -> Standing:
        """On or off as read."""
        (level,) = levels
        value = None if level is None else "on" if level else "off"
        return msgspec.structs.replace(standing, value=value, resume=0)

    def _turn(self, standing: Standing, now: float, *, on: bool) -> Step:
        deadline = running_out(on, standing, self._max_on, now)
        return Step(Standing(value="on" if on else "off", deadline=deadline), (Write(self._pin, int(on)),))
