"""Whether the calendar jumped, as on a hub without a clock chip that was off for weeks and then hears network time."""

import time
from collections.abc import Callable

JUMP_SECONDS = 3600.0
"""Less is a clock that is set right, which moves nothing that counts in days."""


class Calendar:
    """Holds the time of day against the time that passes, both in seconds."""

    def __init__(
        self, *, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._now = now
        self._monotonic = monotonic
        self._apart = now() - monotonic()

    def jumped(self) -> bool:
        """Whether it moved by an hour or more, either way, since the last look; what is slower is followed."""
        former, self._apart = self._apart, self._now() - self._monotonic()
        return abs(self._apart - former) >= JUMP_SECONDS
