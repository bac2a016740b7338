"""A motion sensor: `motion` at once, `clear` once it has been quiet for its hold time."""

import msgspec

from device_agents.devices.input import Signal, Told, settle, unsettled

MOTION = "motion"
CLEAR = "clear"


class MotionSensor:
    """One pin; level 1 means that the sensor sees something move."""

    def __init__(self, pin: int, *, debounce: float, hold: float) -> None:
        self.pin = pin
        self._debounce = debounce
        self._hold = hold

    def start(self, level: int) -> Signal:
        """As it reads."""
        return Signal(value=MOTION if level else CLEAR, level=level)

    def edge(self, signal: Signal, now: float) -> Signal:
        """Wait until it holds still."""
        return unsettled(signal, self._debounce, now)

    def tick(self, signal: Signal, level: int, now: float) -> Told:
        """It holds still, or it has been quiet for long enough."""
        signal, changed = settle(signal, level, now)
        if changed and signal.level:
            told = msgspec.structs.replace(signal, value=MOTION, due_at=None)
            return Told(told, ("motion",) if signal.value == CLEAR else ())
        if changed:
            return Told(msgspec.structs.replace(signal, due_at=now + self._hold))
        if signal.due_at is not None and now >= signal.due_at:
            return Told(msgspec.structs.replace(signal, value=CLEAR, due_at=None))
        return Told(signal)
