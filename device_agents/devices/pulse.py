"""A pulse: a relay that closes for `pulse_ms` and lets go, such as the button of a garage door."""

import msgspec

from device_agents.devices.output import Birth, Standing, Step, Write
from shared.words.names import Action
from shared.words.problem import HomeError


class Pulse:
    """One relay. A second press within the travel time would stop or turn what the first one set going."""

    def __init__(self, pin: int, *, pulse_ms: int, travel_time: float = 0.0) -> None:
        self._pin = pin
        self._seconds = pulse_ms / 1000
        self._rest = max(travel_time, self._seconds)

    @property
    def pins(self) -> tuple[int, ...]:
        """The relay's pin."""
        return (self._pin,)

    def boot(self, birth: Birth, now: float) -> Step:
        """Released. A travel that may not be over yet is waited for; where that is not known, it starts now."""
        ready_at = now
        if birth.last is not None and birth.last.memory is not None:
            ready_at = min(birth.last.memory.ready_at, now + self._rest)
        elif birth.last is not None:
            ready_at = now + self._rest
        if birth.interrupted or birth.levels[0] == 1:
            ready_at = now + self._rest
        return Step(Standing(value=None, ready_at=max(now, ready_at)), (Write(self._pin, 0),))

    def act(self, standing: Standing, _action: Action, _value: int | None, now: float) -> Step:
        """Press. Raises HomeError("too-soon") within the travel time."""
        if now < standing.ready_at:
            raise HomeError("too-soon", f"It may still be moving: wait another {standing.ready_at - now:.1f} s.")
        pressed = Standing(value=None, deadline=now + self._seconds, ready_at=now + self._rest)
        return Step(pressed, (Write(self._pin, 1),))

    def tick(self, standing: Standing, _now: float) -> Step:
        """The pulse is over."""
        return Step(msgspec.structs.replace(standing, deadline=None), (Write(self._pin, 0),))

    def halt(self, standing: Standing, now: float) -> Step:
        """A pulse under way ends now."""
        return self.tick(standing, now) if standing.deadline is not None else Step(standing)

    def rest(self, standing: Standing, now: float) -> Step:
        """Released."""
        return self.tick(standing, now)

    def seen(self, standing: Standing, _levels: tuple[int | None, ...]) -> Standing:
        """Whatever was read: the travel time is waited for before anything else."""
        return standing
