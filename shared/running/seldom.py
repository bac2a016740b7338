"""Says what keeps happening seldom: whoever can repeat a thing at will shall not drown other words with it."""

import math
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Seldom:
    """Remembers when something was last said, in memory, for the `most` keys that were said last.

    Asking and remembering are two steps: what could not be said must be said the next time.
    """

    def __init__(self, seconds: float, *, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._said: OrderedDict[Hashable, float] = OrderedDict()

    def is_due(self, key: Hashable, now: float) -> bool:
        """Whether `key` was not said within the last seconds. A clock that was set back silences nothing."""
        last = self._said.get(key)
        return last is None or not 0 <= now - last < self._seconds

    def said(self, key: Hashable, now: float) -> None:
        """It was said."""
        self._said[key] = now
        self._said.move_to_end(key)
        if len(self._said) > self._most:
            self._said.popitem(last=False)


class Sums(Generic[K]):
    """Of what repeats, the first few are said one by one, the rest of the same `seconds` as a number.

    For `keys` kinds at the most; of what is more than that, the oldest kind is summed up early.
    """

    def __init__(self, seconds: float, *, keys: int) -> None:
        self._seconds = seconds
        self._keys = keys
        self._windows: OrderedDict[K, tuple[float, int, int]] = OrderedDict()
        self._owed: list[tuple[K, int]] = []
        self._oldest = math.inf
        """When the first of the windows began; one that was ended early may have begun before."""

    def is_said(self, key: K, now: float, *, most: int) -> bool:
        """Whether to say this one, as one of the first `most`; if not, it is in the sum."""
        if not 0 <= now - self._oldest < self._seconds:
            self._end_those_over(now)
        begun, said, unsaid = self._windows.get(key, (now, 0, 0))
        is_said = said < most
        self._windows[key] = (begun, said + is_said, unsaid + (not is_said))
        self._oldest = min(self._oldest, begun)
        if len(self._windows) > self._keys:
            self._end(next(iter(self._windows)))
        return is_said

    @property
    def owes(self) -> bool:
        """Whether there are sums to take, as far as was looked."""
        return bool(self._owed)

    def take(self, now: float, *, everything: bool = False) -> list[tuple[K, int]]:
        """How many of each kind were not said, of windows that are over; each sum once."""
        self._end_those_over(math.inf if everything else now)
        owed, self._owed = self._owed, []
        return owed

    def _end_those_over(self, now: float) -> None:
        while self._windows:
            key, (begun, _, _) = next(iter(self._windows.items()))
            if 0 <= now - begun < self._seconds:  # a clock that was set back ends them all
                self._oldest = begun
                return
            self._end(key)
        self._oldest = math.inf

    def _end(self, key: K) -> None:
        _, _, unsaid = self._windows.pop(key)
        if unsaid:
            self._owed.append((key, unsaid))
