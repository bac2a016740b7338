"""The hours of a guest's stream: it ends when what they may see changes by the clock; who comes back gets what is then.

The home's clock is looked at again once a minute: it may be set, and a timer knows nothing of that.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from shared.words.grant_times import next_change
from shared.words.internal import Grant

_LOOK_SECONDS: Final = 60.0


class Hours:
    """Calls `over` at the first moment after `now()` at which one of the grants begins or ends to hold, once."""

    def __init__(self, grants: Sequence[Grant], *, now: Callable[[], datetime], over: Callable[[], None]) -> None:
        self._now = now
        self._over = over
        self._ends = next_change(grants, now())
        self._timer: asyncio.TimerHandle | None = None
        self._look()

    def stop(self) -> None:
        """The stream is gone."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        if self._ends is None:
            return
        left = (self._ends - self._now().astimezone(UTC)).total_seconds()
        if left <= 0:
            self._over()
        else:
            self._timer = asyncio.get_running_loop().call_later(min(left, _LOOK_SECONDS), self._look)
