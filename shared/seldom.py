"""Says what keeps happening seldom: whoever can repeat a thing at will shall not drown other words with it."""

from collections import OrderedDict
from collections.abc import Hashable


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
