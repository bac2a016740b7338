"""How many may come in at once, and how long each may take: the counts and deadlines of every HTTPS port of the hub.

Pure: `entrance` asks before it greets anybody, and looks round once a second for whoever is overdue.
"""

import functools
import ipaddress
import math
from collections import Counter
from collections.abc import Callable, Container, Iterator
from typing import Annotated, Final

import msgspec

from shared.running.config import Config

HEAD_SECONDS: Final = 15.0
"""From the connection, its TLS handshake included, to the end of the first request's head."""
BODY_SECONDS: Final = 20.0
"""From there to the end of the body: 64 KiB at the most, which 3.3 kB/s carry."""
IDLE_SECONDS: Final = 75.0
"""From an answer to the end of the next request's head."""
PROXY_IDLE_SECONDS: Final = 3630.0
"""The same for a trusted proxy, which must be the one that hangs up: it loses a request that meets a closed door."""
TAKE_SECONDS: Final = 60.0
"""For what is sent to be taken up: 48 KiB of it at a time."""
PATIENCE_SECONDS: Final = 1.0
"""Who waits longer than this without having asked for anything gives way where there is no place left."""
FEW: Final = 6
"""So many connections a browser keeps to one place: who has fewer is no flood."""


class Bounds(Config, frozen=True):
    """`[connections]`: how many at once from one address (of IPv6, one network), and in all."""

    by_address: Annotated[int, msgspec.Meta(ge=8)] = 100
    in_all: Annotated[int, msgspec.Meta(ge=16)] = 1000


@functools.lru_cache(maxsize=1024)
def counted_as(address: str) -> str:
    """As whom an address counts: of IPv6 the network, since one household has billions of addresses."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 6 and known.ipv4_mapped is None:
        return str(ipaddress.ip_network((known.packed, 64), strict=False))
    return address


class Stay:
    """One connection from its first to its last moment. `hang_up` ends it, whatever it is in the middle of."""

    __slots__ = ("_reading_due", "_waiting_since", "_writing_due", "hang_up", "idle_seconds", "key")

    def __init__(self, key: str | None, now: float, hang_up: Callable[[], None], idle_seconds: float) -> None:
        self.key = key
        self.hang_up = hang_up
        self.idle_seconds = idle_seconds
        self._waiting_since: float | None = now
        self._reading_due: float | None = now + HEAD_SECONDS
        self._writing_due: float | None = None

    def asks(self, now: float) -> None:
        """The head of a request is here; its body is awaited."""
        self._waiting_since, self._reading_due = now, now + BODY_SECONDS

    def has_asked(self) -> None:
        """The whole request is here: from now on it is our turn."""
        self._waiting_since = self._reading_due = None

    def is_answered(self, now: float) -> None:
        """The answer is out."""
        self._waiting_since, self._reading_due = now, now + self.idle_seconds

    def is_full(self, now: float) -> None:
        """What we send is not taken up."""
        self._writing_due = now + TAKE_SECONDS

    def takes_again(self) -> None:
        """It is."""
        self._writing_due = None

    def is_overdue(self, now: float) -> bool:
        """Whether the other side has used up its time."""
        return any(due is not None and now >= due for due in (self._reading_due, self._writing_due))

    def waits_since(self) -> float | None:
        """Since when nothing is asked of us; None while something is."""
        return self._waiting_since


class Doors:
    """Every connection that is open. `trusted` are proxies: they stand for many, and count only in all."""

    def __init__(self, bounds: Bounds, trusted: Container[str] = ()) -> None:
        self._bounds = bounds
        self._trusted = trusted
        self._stays: dict[Stay, None] = {}  # a set that keeps their order
        self._by_key: Counter[str] = Counter()
        self._none_before: dict[str | None, float] = {}
        self.refused = 0
        """So many were turned away or had to give way since anybody asked last."""

    def __len__(self) -> int:
        return len(self._stays)

    def __iter__(self) -> Iterator[Stay]:
        return iter(tuple(self._stays))

    def admit(self, address: str, now: float, hang_up: Callable[[], None]) -> Stay | None:
        """A place for a connection; None where there is none, and nobody who must give way to it."""
        trusted = address in self._trusted
        key = None if trusted else counted_as(address)
        if key is not None and self._by_key[key] >= self._bounds.by_address and not self._make_room_of(key, now):
            return None
        if len(self._stays) >= self._bounds.in_all and not self._make_room_for(key, now):
            return None
        stay = Stay(key, now, hang_up, PROXY_IDLE_SECONDS if trusted else IDLE_SECONDS)
        self._stays[stay] = None
        if key is not None:
            self._by_key[key] += 1
        return stay

    def leave(self, stay: Stay) -> None:
        """It is over; to say so twice does no harm."""
        if stay not in self._stays:
            return
        del self._stays[stay]
        if stay.key is not None:
            self._by_key[stay.key] -= 1
            if not self._by_key[stay.key]:
                del self._by_key[stay.key]

    def overdue(self, now: float) -> list[Stay]:
        """Those who have used up their time."""
        return [stay for stay in self._stays if stay.is_overdue(now)]

    def _make_room_of(self, key: str, now: float) -> bool:
        """Of the address's own, have the one that waits longest give way."""
        self.refused += 1
        if self._looked_in_vain(key, now):
            return False
        waiting = [stay for stay in self._stays if stay.key == key and stay.waits_since() is not None]
        return self._give_way(key, waiting, [stay for stay in waiting if _waits_long(stay, now)], now)

    def _make_room_for(self, comer: str | None, now: float) -> bool:
        """Of all, have the one that waits longest at the address with most who wait give way.

        Where an address has more than `FEW` who wait, and the comer's has fewer at all, that is so at once: who keeps
        coming back within the second must not keep everybody else out.
        """
        self.refused += 1
        is_modest = comer is None or self._by_key[comer] < FEW
        if not is_modest and self._looked_in_vain(None, now):
            return False
        waiting = [stay for stay in self._stays if stay.waits_since() is not None]
        whose = {stay: stay.key or stay for stay in waiting}  # a proxy's each stands for itself
        crowds = Counter(whose.values())
        ready = [s for s in waiting if _waits_long(s, now) or (is_modest and crowds[whose[s]] > FEW)]
        largest = max((crowds[whose[stay]] for stay in ready), default=0)
        return self._give_way(None, waiting, [stay for stay in ready if crowds[whose[stay]] == largest], now)

    def _looked_in_vain(self, key: str | None, now: float) -> bool:
        """Whether nobody can wait long enough yet: whoever floods us does not have us look at everybody each time."""
        return now < self._none_before.get(key, now)

    def _give_way(self, key: str | None, waiting: list[Stay], ready: list[Stay], now: float) -> bool:
        if not ready:
            first = min((_since(stay) for stay in waiting), default=now)
            self._none_before = {k: until for k, until in self._none_before.items() if until > now}
            self._none_before[key] = first + PATIENCE_SECONDS
            return False
        longest = min(ready, key=_since)
        self.leave(longest)
        longest.hang_up()
        return True


def _since(stay: Stay) -> float:
    since = stay.waits_since()
    return math.inf if since is None else since


def _waits_long(stay: Stay, now: float) -> bool:
    return now - _since(stay) >= PATIENCE_SECONDS
