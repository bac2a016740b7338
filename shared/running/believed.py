"""How late it is, as far as a clock is believed that somebody may just have set: for who removes what is old, pure.

A board without a clock of its own begins with any time, and the first time server that answers may be wrong. What such
a clock made old would be gone for good, so it is believed once it has been left alone for a day; until then it is as
late as it was when something was written last, and by what has passed since.
"""

import time
from collections.abc import Callable
from typing import Final

STEADY_SECONDS: Final = 86_400.0
"""A clock that was not set for so long is believed, whatever it says."""
_SET_SECONDS: Final = 1.0
"""By less than this a clock is not set at once, but brought there slowly."""


class Believed:
    """Seconds since 1970. `known`: until when time surely had gone on before; `steady` is never set.

    Somebody has to `look` every few minutes, or a clock that was set twice seems to have been left alone.
    """

    def __init__(
        self, known: float, *, now: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._now, self._steady = now, steady
        self._known = known
        self._began = self._set_at = steady()
        self._offset = now() - self._began

    def look(self) -> float:
        """By how many seconds the clock was set since the last look; 0 where it was not."""
        steady = self._steady()
        step = self._now() - steady - self._offset
        if abs(step) <= _SET_SECONDS:
            return 0.0
        self._offset, self._set_at = self._offset + step, steady
        return step

    @property
    def is_steady(self) -> bool:
        """Whether it has been left alone for long enough."""
        return self._steady() - self._set_at >= STEADY_SECONDS

    def looked_at(self) -> float:
        """As `time`, for whoever is the only one that looks."""
        self.look()
        return self.time()

    def time(self) -> float:
        """Now; never further on than the clock is believed."""
        now = self._now()
        return now if self.is_steady else min(now, self._known + self._steady() - self._began)
