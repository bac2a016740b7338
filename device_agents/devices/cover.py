"""A cover: two relays that drive it open or shut, never both; where it stands is estimated from the travel time."""

from typing import Literal

import msgspec

from device_agents.devices.output import Birth, Motion, Standing, Step, Write
from shared.messages import CoverValue
from shared.names import Action

OPEN = 100
CLOSED = 0
OVERRUN = 0.1
"""Towards an end a cover runs this part of its travel time longer, so that the estimate starts anew from a true end."""
NEAR = 1.0
"""Closer than this to its goal, in percent, a cover stays where it is."""

_WORDS: dict[int, Literal["opening", "closing"]] = {1: "opening", -1: "closing"}


class Cover:
    """Two relays with `dead_time` seconds of rest before either is switched on again in the other direction."""

    def __init__(self, opening: int, closing: int, *, travel_time: float, dead_time: float) -> None:
        self._opening = opening
        self._closing = closing
        self._travel = travel_time
        self._dead = dead_time

    @property
    def pins(self) -> tuple[int, ...]:
        """The opening relay's pin, then the closing one's."""
        return (self._opening, self._closing)

    def boot(self, birth: Birth, now: float) -> Step:
        """At rest. The position is known only where it was at rest when it was last heard of."""
        position = None
        last = birth.last.value if birth.last is not None else None
        moved = birth.interrupted or 1 in birth.levels
        if isinstance(last, CoverValue) and last.moving is None and not moved:
            position = last.position
        return self._stopped(position, now)

    def act(self, standing: Standing, action: Action, value: int | None, now: float) -> Step:
        """Open, close, stop, or go to `value` percent; from an unknown position by way of the closed end."""
        position = self._position(standing, now)
        if action is Action.STOP:
            return self._stopped(position, now)
        goal = {Action.OPEN: OPEN, Action.CLOSE: CLOSED}.get(action, value or 0)
        if position is None and goal not in {OPEN, CLOSED}:
            return self._head_for(standing, position, CLOSED, goal, now)
        return self._head_for(standing, position, goal, goal, now)

    def tick(self, standing: Standing, now: float) -> Step:
        """A dead time or a leg of the way is over."""
        motion = standing.motion
        if motion is None:  # a relay did not let go: try again
            return self._stopped(standing.position, now)
        if motion.direction == 0:
            return self._run(standing.position, motion.target, motion.goal, now)
        arrived = self._stopped(float(motion.target), now)
        if motion.goal == motion.target:
            return arrived
        onward = self._head_for(arrived.standing, float(motion.target), motion.goal, motion.goal, now)
        return Step(onward.standing, arrived.writes + onward.writes)

    def halt(self, standing: Standing, now: float) -> Step:
        """Nothing moves on its own."""
        return self._stopped(self._position(standing, now), now) if standing.motion is not None else Step(standing)

    def rest(self, standing: Standing, now: float) -> Step:
        """Both relays released; where the cover stands is not known any more."""
        return self._stopped(self._position(standing, now) if standing.motion is None else None, now)

    def seen(self, standing: Standing, _levels: tuple[int | None, ...]) -> Standing:
        """A relay that does not follow: where the cover stands, and whether it moves, nobody knows."""
        return msgspec.structs.replace(standing, value=CoverValue(position=None, moving=None), position=None)

    def _head_for(self, standing: Standing, position: float | None, target: int, goal: int, now: float) -> Step:
        direction = self._direction(position, target)
        motion = standing.motion
        if direction == 0:
            return self._stopped(position, now)
        if motion is not None and motion.direction == direction:
            if position is None:  # how far it has come is not known, but since when it runs is
                now = motion.started
            return self._run(position, target, goal, now)
        stop = self._stopped(position, now) if motion is not None and motion.direction != 0 else Step(standing)
        ready_at = stop.standing.ready_at
        if now >= ready_at:
            return self._run(position, target, goal, now)
        waiting = Standing(
            value=_value(position, 0),
            deadline=ready_at,
            ready_at=ready_at,
            position=position,
            motion=Motion(direction=0, started=now, target=target, goal=goal),
        )
        return Step(waiting, stop.writes)

    def _run(self, position: float | None, target: int, goal: int, now: float) -> Step:
        direction = self._direction(position, target)
        start = (OPEN if target == CLOSED else CLOSED) if position is None else position
        seconds = abs(target - start) / 100 * self._travel
        if target in {OPEN, CLOSED}:
            seconds += OVERRUN * self._travel
        running = Standing(
            value=_value(position, direction),
            deadline=now + seconds,
            position=position,
            motion=Motion(direction=direction, started=now, target=target, goal=goal),
        )
        # The other relay is written off first, always: there is no order in which both could be on.
        on, off = (self._opening, self._closing) if direction > 0 else (self._closing, self._opening)
        return Step(running, (Write(off, 0), Write(on, 1)))

    def _stopped(self, position: float | None, now: float) -> Step:
        at_rest = Standing(value=_value(position, 0), ready_at=now + self._dead, position=position)
        return Step(at_rest, (Write(self._opening, 0), Write(self._closing, 0)))

    def _position(self, standing: Standing, now: float) -> float | None:
        motion = standing.motion
        if motion is None or motion.direction == 0 or standing.position is None:
            return standing.position
        gone = (now - motion.started) / self._travel * 100
        return min(100.0, max(0.0, standing.position + motion.direction * gone))

    def _direction(self, position: float | None, target: int) -> int:
        if position is None:
            return 1 if target == OPEN else -1
        if abs(target - position) < NEAR:
            return 0
        return 1 if target > position else -1


def _value(position: float | None, direction: int) -> CoverValue:
    return CoverValue(position=None if position is None else round(position), moving=_WORDS.get(direction))
