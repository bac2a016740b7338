"""How often something was counted within a window of time, in memory and pure; what each window allows is `limits`'s.

The library's own store makes a task for each count, which is dearer than the rest of a command's way through the door.
"""

from collections.abc import Hashable
from typing import Final

_SWEPT_AT: Final = 1024


class Windows:
    """Counts by key. A window opens with its first count, and what is counted after its end opens the next."""

    def __init__(self) -> None:
        self._open: dict[Hashable, list[float]] = {}
        """The end of each, and its count."""
        self._sweep_at = _SWEPT_AT

    def __len__(self) -> int:
        return len(self._open)

    def count(self, key: Hashable, seconds: float, now: float) -> int:
        """Count once more; how often that makes in its window, which is `seconds` long if it opens now."""
        window = self._open.get(key)
        if window is None or now >= window[0]:
            self._sweep(now)
            self._open[key] = [now + seconds, 1]
            return 1
        window[1] += 1
        return int(window[1])

    def learn(self, key: Hashable, count: int, ends_in: float, now: float) -> None:
        """It was counted that often, elsewhere too, in a window that ends after so many seconds."""
        if ends_in > 0:
            self._open[key] = [now + ends_in, count]

    def counted(self, key: Hashable, now: float) -> int:
        """How often it was counted in the window that is open."""
        window = self._open.get(key)
        return 0 if window is None or now >= window[0] else int(window[1])

    def ends_in(self, key: Hashable, now: float) -> float:
        """After how many seconds the window ends that is open."""
        window = self._open.get(key)
        return 0.0 if window is None else max(0.0, window[0] - now)

    def _sweep(self, now: float) -> None:
        """Forget the windows that are over, each time that there are twice as many as were left the last time."""
        if len(self._open) >= self._sweep_at:
            self._open = {key: window for key, window in self._open.items() if now < window[0]}
            self._sweep_at = max(_SWEPT_AT, 2 * len(self._open))
