"""A contact: a reed switch on a door or a window, closed or open."""

import msgspec

from device_agents.devices.input import Signal, Told, settle, unsettled

CLOSED = "closed"
OPEN = "open"


class Contact:
    """One pin; level 1 means that the circuit, and so the door, is closed."""

    def __init__(self, pin: int, *, debounce: float) -> None:
        self.pin = pin
        self._debounce = debounce

    def start(self, level: int) -> Signal:
        """As it reads."""
        return Signal(value=_word(level), level=level)

    def edge(self, signal: Signal, now: float) -> Signal:
        """Wait until it holds still."""
        return unsettled(signal, self._debounce, now)

    def tick(self, signal: Signal, level: int, now: float) -> Told:
        """It holds still: that is the new value."""
        signal, _ = settle(signal, level, now)
        return Told(msgspec.structs.replace(signal, value=_word(signal.level)))


def _word(level: int) -> str:
    return CLOSED if level else OPEN
