"""A button: pressed, pressed twice, or held."""

import msgspec

from device_agents.devices.input import Happening, Signal, Told, settle, unsettled


class Button:
    """One pin; level 1 means that the button is down. Its value is always None: only what happens counts.

    Held for `long` seconds it is `long`, told while it is still down. Released before, it is `press`, told once
    `double` seconds have passed without a second press, else `double`. With `double` 0 a press is told at once.
    """

    def __init__(self, pin: int, *, debounce: float, double: float, long: float) -> None:
        self.pin = pin
        self._debounce = debounce
        self._double = double
        self._long = long

    def start(self, level: int) -> Signal:
        """A button that is held while the agent starts has not been pressed."""
        return Signal(value=None, level=level)

    def edge(self, signal: Signal, now: float) -> Signal:
        """Wait until it holds still."""
        return unsettled(signal, self._debounce, now)

    def tick(self, signal: Signal, level: int, now: float) -> Told:
        """It holds still, or a gesture is complete."""
        signal, changed = settle(signal, level, now)
        if changed:
            return self._down(signal, now) if signal.level else self._up(signal, now)
        if signal.due_at is None or now < signal.due_at:
            return Told(signal)
        if signal.down_since is not None:
            return _done(signal, "long")
        return _done(signal, "press")

    def _down(self, signal: Signal, now: float) -> Told:
        return Told(msgspec.structs.replace(signal, down_since=now, due_at=now + self._long))

    def _up(self, signal: Signal, now: float) -> Told:
        if signal.down_since is None:
            return Told(signal)  # the end of a long press, which was told already
        if signal.clicks == 1:
            return _done(signal, "double")
        if self._double == 0:
            return _done(signal, "press")
        return Told(msgspec.structs.replace(signal, clicks=1, down_since=None, due_at=now + self._double))


def _done(signal: Signal, happening: Happening) -> Told:
    return Told(msgspec.structs.replace(signal, clicks=0, down_since=None, due_at=None), (happening,))
