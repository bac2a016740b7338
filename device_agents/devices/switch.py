"""A switch: on or off, at most `max_on` seconds on."""

import msgspec

from device_agents.devices.output import Birth, Standing, Step, Write
from shared.names import Action


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
        """Off, on, or as it was: a level that is still driven stays, else the last known value counts."""
        on = birth.policy == "on"
        if birth.policy == "restore":
            (level,) = birth.levels
            on = level == 1 if level is not None else birth.last is not None and birth.last.value == "on"
        return self._turn(Standing(value="off"), now, on=on)

    def act(self, standing: Standing, action: Action, _value: int | None, now: float) -> Step:
        """On or off."""
        return self._turn(standing, now, on=action is Action.ON)

    def tick(self, standing: Standing, now: float) -> Step:
        """`max_on` is over."""
        return self._turn(standing, now, on=False)

    def halt(self, standing: Standing, now: float) -> Step:
        """Stays as it is, unless only the agent would ever end it."""
        return self._turn(standing, now, on=False) if standing.deadline is not None else Step(standing)

    def seen(self, standing: Standing, levels: tuple[int, ...]) -> Standing:
        """On or off as read; a deadline stays for as long as it is on."""
        on = levels[0] == 1
        return msgspec.structs.replace(
            standing, value="on" if on else "off", deadline=standing.deadline if on else None
        )

    def _turn(self, standing: Standing, now: float, *, on: bool) -> Step:
        deadline = None
        if on and self._max_on is not None:
            deadline = standing.deadline if standing.deadline is not None else now + self._max_on
        return Step(Standing(value="on" if on else "off", deadline=deadline), (Write(self._pin, int(on)),))
