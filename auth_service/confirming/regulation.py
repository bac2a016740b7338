"""How failed sign-ins are told, pure: the first at once, a burst as one security event, the rest as a sum.

An attacker's thousand tries make a handful of events, so that they cannot drown what else the home has to say.
How many tries anybody has is limited in the gateway (per address and account) and by codes.TRIES.
"""

from collections import OrderedDict
from datetime import datetime, timedelta

import msgspec

from shared.words.names import Severity

WINDOW = timedelta(minutes=10)
BURST = 5
"""So many failures within a window are no longer somebody's slip."""
_KEYS_MOST = 1000


class Report(msgspec.Struct, frozen=True):
    """An event that is due: so many failures at `key`, counted since `since`."""

    key: str
    count: int
    since: datetime
    severity: Severity


class _Window(msgspec.Struct):
    since: datetime
    count: int
    told: int


class Failures:
    """Counts failures per key (a known account, or the address of who tried an unknown one)."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def note(self, key: str, now: datetime) -> list[Report]:
        """One more failure; what is to be told now."""
        reports = self.sweep(now)
        window = self._windows.get(key)
        if window is None:
            if len(self._windows) >= _KEYS_MOST:
                oldest, closed = self._windows.popitem(last=False)
                reports += _remainder(oldest, closed)
            window = self._windows[key] = _Window(now, 0, 0)
        window.count += 1
        if window.count in {1, BURST}:
            window.told = window.count
            severity = Severity.INFO if window.count == 1 else Severity.SECURITY
            reports.append(Report(key, window.count, window.since, severity))
        return reports

    def sweep(self, now: datetime) -> list[Report]:
        """Close the windows that are over; those with failures nobody was told of give a sum."""
        reports: list[Report] = []
        while self._windows:
            key, window = next(iter(self._windows.items()))
            if now - window.since < WINDOW:
                break  # in order of their beginning
            del self._windows[key]
            reports += _remainder(key, window)
        return reports


def _remainder(key: str, window: _Window) -> list[Report]:
    if window.count == window.told:
        return []
    return [Report(key, window.count, window.since, Severity.INFO)]
