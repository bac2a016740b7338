"""Keys made for a phone whose file could not be brought yet: whoever types the code again gets it for the same key.

In memory, a few, for as long as a code is good: else a signer that was away for a moment would have used the code up.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:  # few homes ever need the library
    from gateway.desk.pkcs12 import Pair

SECONDS: Final = 600.0
MOST: Final = 16
"""While the auth service is away anybody may have one kept; the oldest goes."""


class PhoneKeys:
    """By code. A key that is taken lies here no more."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._kept: OrderedDict[str, tuple[float, Pair]] = OrderedDict()

    def take(self, code: str) -> "Pair | None":
        """What was kept for a code."""
        self._forget_old()
        found = self._kept.pop(code, None)
        return None if found is None else found[1]

    def keep(self, code: str, pair: "Pair") -> None:
        """For the next try."""
        self._forget_old()
        self._kept.pop(code, None)
        self._kept[code] = (self._now() + SECONDS, pair)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def _forget_old(self) -> None:
        while self._kept and next(iter(self._kept.values()))[0] <= self._now():
            self._kept.popitem(last=False)


PHONE_KEYS: Final = web.AppKey("phone_keys", PhoneKeys)
