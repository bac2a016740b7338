"""How long the way to the broker and back takes, pure: from what we publish to the broker's word on it.

What the broker sends us cannot have been under way longer than that. A delay that is there from the first moment
looks like a difference between clocks; only the way there and back tells them apart (promise 3).
"""

SLOW_SECONDS = 2.0
"""On a link slower than this no gateway's clock is learned, and no command's age is believed."""


class RoundTrip:
    """Measured on one connection. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._under_way: dict[int, float] = {}
        self._last: float | None = None

    def sent(self, mid: int, now: float) -> None:
        """A message went out."""
        self._under_way[mid] = now

    def confirmed(self, mid: int, now: float) -> None:
        """The broker's word on it came."""
        sent = self._under_way.pop(mid, None)
        if sent is not None:
            self._last = now - sent

    def is_quiet(self) -> bool:
        """Whether the broker has confirmed everything."""
        return not self._under_way

    def is_slow(self, now: float) -> bool:
        """Whether the last way there and back, or one that is not over yet, took too long; or none was measured."""
        if self._last is None or self._last > SLOW_SECONDS:
            return True
        oldest = next(iter(self._under_way.values()), None)
        return oldest is not None and now - oldest > SLOW_SECONDS
