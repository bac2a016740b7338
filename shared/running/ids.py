"""Names for requests, commands and events: random, drawn from the system many at once, since each call costs more.

Those that databases keep begin with their time: then what is written together lies together in each index, and a commit
has a few pages to write and not one for every name. Not for secrets: what is not given out yet lies in memory.
"""

import os
import time
from collections.abc import Callable
from typing import Final

_DRAWN: Final = 4096
_DIGITS: Final = 16
_VARIANT: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class Names:
    """Gives out what `draw` drew, and each byte once, whichever thread asks."""

    def __init__(self, draw: Callable[[int], bytes] = os.urandom) -> None:
        self._draw = draw
        self._drawn: list[str] = []

    def take(self) -> str:
        """16 hexadecimal digits that nobody had before."""
        try:
            return self._drawn.pop()  # one step, so that no two threads take the same
        except IndexError:
            digits = self._draw(_DRAWN).hex()
            mine, *others = (digits[at : at + _DIGITS] for at in range(0, len(digits), _DIGITS))
            self._drawn.extend(others)
            return mine


_names = Names()
_take = _names.take


def short() -> str:
    """16 hexadecimal digits: a request's."""
    return _take()


def long() -> str:
    """32 hexadecimal digits: an event's. The first half tells the nanosecond."""
    return f"{time.time_ns():016x}{_take()}"


def uuid7() -> str:
    """A UUID that begins with its millisecond (RFC 9562, 5.7), as text: a command's."""
    at, one, other = f"{time.time_ns() // 1_000_000:012x}", _take(), _take()
    return f"{at[:8]}-{at[8:]}-7{one[:3]}-{_VARIANT[other[0]]}{other[1:4]}-{other[4:]}"
