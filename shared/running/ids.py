"""Random names for requests, commands and events: drawn from the system many at once, since each call costs more.

Not for secrets: what is not given out yet lies in memory.
"""

import os
import threading
from collections.abc import Callable
from typing import Final

_DRAWN: Final = 4096
_VARIANT: Final = "89ab"


class Names:
    """Gives out what `draw` drew, and each byte once, whichever thread asks."""

    def __init__(self, draw: Callable[[int], bytes] = os.urandom) -> None:
        self._draw = draw
        self._lock = threading.Lock()
        self._drawn = b""
        self._next = 0

    def take(self, size: int) -> bytes:
        """So many bytes (of at most a few dozen) that nobody had before."""
        with self._lock:
            end = self._next + size
            if end > len(self._drawn):
                self._drawn, end = self._draw(_DRAWN), size
            taken, self._next = self._drawn[end - size : end], end
        return taken


_names = Names()


def short() -> str:
    """16 hexadecimal digits: a request's."""
    return _names.take(8).hex()


def long() -> str:
    """32 hexadecimal digits: an event's."""
    return _names.take(16).hex()


def uuid4() -> str:
    """A random UUID (RFC 9562, 5.4), as text: a command's."""
    digits = _names.take(16).hex()
    variant = _VARIANT[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
