"""Random names for requests, commands and events: drawn from the system many at once, since each call costs more.

Not for secrets: what is not given out yet lies in memory.
"""

import os
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
    """32 hexadecimal digits: an event's."""
    return _take() + _take()


def uuid4() -> str:
    """A random UUID (RFC 9562, 5.4), as text: a command's."""
    one, other = _take(), _take()
    return f"{one[:8]}-{one[8:12]}-4{one[13:]}-{_VARIANT[other[0]]}{other[1:4]}-{other[4:]}"
