"""A cover: two relays that drive it open or shut, never both; where it stands is estimated from the travel time."""

from typing import Literal, NamedTuple

import msgspec

from device_agents.devices.output import Birth, Motion, Standing, Step, Write
from shared.words.messages import CoverValue
from shared.words.names import Action

OPEN = 100
CLOSED = 0
OVERRUN = 0.1
"""Towards an end a cover runs this part of its travel time longer, so that the estimate starts anew from a true end."""
NEAR = 1.0
"""Closer than this to its goal, in percent, a cover stays where it is."""

_ENDS = {Action.OPEN: OPEN, Action.CLOSE: CLOSED}
_WORDS: dict[int, Literal["opening", "closing"]] = {1: "opening", -1: "closing"}


class _Way(NamedTuple):
    """Where to: `direction` 1 opens, -1 closes, 0 is there already; `whole`: for the whole travel time."""

    direction: int
    target: int
    goal: int
    whole: bool = False


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
        """Open, close, stop, or go to `value` percent; from an unknown position by way of the closed end.

        To an end, by whatever word, it drives for the whole travel time whatever is estimated, and so finds the true
        end again: an estimate slips with every start and stop.
        """
        position = self._position(standing, now)
        if action is Action.STOP:
            return self._stopped(position, now)
        goal = _ENDS.get(action, value or 0)
        if goal in {OPEN, CLOSED}:
            return self._head_for(standing, position, _Way(1 if goal == OPEN else -1, goal, goal, whole=True), now)
        target = CLOSED if position is None else goal
        return self._head_for(standing, position, self._way(position, target, goal), now)

    def tick(self, standing: Standing, now: float) -> Step:
        """A dead time or a leg of the way is over."""
        motion = standing.motion
        if motion is None:  # a relay did not let go: try again
            return self._stopped(standing.position, now)
        if motion.direction == 0:
            whole = _Way(1 if motion.target == OPEN else -1, motion.target, motion.goal, whole=True)
            way = whole if motion.whole else self._way(standing.position, motion.target, motion.goal)
            return self._run(standing.position, way, now)
        arrived = self._stopped(float(motion.target), now)
        if motion.goal == motion.target:
            return arrived
        way = self._way(float(motion.target), motion.goal, motion.goal)
        onward = self._head_for(arrived.standing, float(motion.target), way, now)
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

    def _head_for(self, standing: Standing, position: float | None, way: _Way, now: float) -> Step:
        motion = standing.motion
        if way.direction == 0:
            return self._stopped(position, now)
        if motion is not None and motion.direction == way.direction:
            if way.whole and motion.whole:
                return Step(standing, self._writes(way.direction))  # told again, it does not run longer for it
            # Counted from when the relay was switched on: it runs no longer for being told something else on its way.
            onward = self._run(standing.position, way, motion.started)
            value = _value(position, way.direction)
            return Step(msgspec.structs.replace(onward.standing, value=value), onward.writes)
        stop = self._stopped(position, now) if motion is not None and motion.direction != 0 else Step(standing)
        ready_at = stop.standing.ready_at
        if now >= ready_at:
            return self._run(position, way, now)
        waiting = Standing(
            value=_value(position, 0),
            deadline=ready_at,
            ready_at=ready_at,
            position=position,
            motion=Motion(direction=0, started=now, target=way.target, goal=way.goal, whole=way.whole),
        )
        return Step(waiting, stop.writes)

    def _run(self, position: float | None, way: _Way, now: float) -> Step:
        seconds = self._travel
        if position is not None and not way.whole:
            seconds *= abs(way.target - position) / 100
        if way.target in {OPEN, CLOSED}:
            seconds += OVERRUN * self._travel
        motion = Motion(direction=way.direction, started=now, target=way.target, goal=way.goal, whole=way.whole)
        value = _value(position, way.direction)
        running = Standing(value=value, deadline=now + seconds, position=position, motion=motion)
        return Step(running, self._writes(way.direction))

    def _writes(self, direction: int) -> tuple[Write, ...]:
        # The other relay is written off first, always: there is no order in which both could be on.
        on, off = (self._opening, self._closing) if direction > 0 else (self._closing, self._opening)
        return (Write(off, 0), Write(on, 1))

    def _stopped(self, position: float | None, now: float) -> Step:
        at_rest = Standing(value=_value(position, 0), ready_at=now + self._dead, position=position)
        return Step(at_rest, (Write(self._opening, 0), Write(self._closing, 0)))

    def _position(self, standing: Standing, now: float) -> float | None:
        motion = standing.motion
        if motion is None or motion.direction == 0 or standing.position is None:
            return standing.position
        gone = (now - motion.started) / self._travel * 100
        return min(100.0, max(0.0, standing.position + motion.direction * gone))

    def _way(self, position: float | None, target: int, goal: int) -> _Way:
        if position is None:
            direction = -1  # by way of the closed end
        elif abs(target - position) < NEAR:
            direction = 0
        else:
            direction = 1 if target > position else -1
        return _Way(direction, target, goal)


def _value(position: float | None, direction: int) -> CoverValue:
    return CoverValue(position=None if position is None else round(position), moving=_WORDS.get(direction))
