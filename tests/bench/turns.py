"""One run of commands on a home, and what it cost until all of it was recorded; homes take turns with it."""

import ssl
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from tests.bench import volley
from tests.bench.volley import Volley

_QUIET_CPU = 0.1
"""Of one core: a home that uses less has dealt with all that it was told."""
_LOOK_SECONDS = 0.1
_QUIET_LOOKS = 5
"""One after the other: what is gathered for a moment, to be written or recorded together, is not forgotten."""
_QUIET_SECONDS = 300.0
"""A home that carries 200 events a second takes most of a minute for the commands of one run."""
_IDLE_SECONDS = 5.0


class Home(Protocol):
    """What can be measured: a whole home, or what does as little as one could."""

    name: str
    idle: Mapping[str, float]
    """Seconds of CPU that each process uses in a second without commands, once that was looked at."""

    @property
    def port(self) -> int:
        """Where commands are posted."""

    @property
    def trust(self) -> ssl.SSLContext:
        """What a client believes."""

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU so far, user and system, of each process that takes part."""

    def unreceipted(self) -> int:
        """How many events wait for the record to take them."""


class Quiet(NamedTuple):
    """A home that has dealt with everything: CPU seconds of each process by then, and since when nothing waits.

    `since` is by the monotonic clock, of the first look that found everything recorded: late by no more than one look.
    """

    cpu: dict[str, float]
    since: float


class Run(NamedTuple):
    """What came of one run: the volley, the CPU seconds of each process for it, and how long the record took for it.

    `recorded_seconds` run from the first command until the record has taken the last event of them.
    """

    volley: Volley
    cpu: dict[str, float]
    recorded_seconds: float

    @property
    def recorded_rate(self) -> float:
        """Commands per second that were not only answered but recorded as well."""
        return len(self.volley.figures.latencies) / self.recorded_seconds


def run(home: Home, wishes: Sequence[bytes], clients: int, seconds: float) -> Run:
    """Let so many clients send `wishes` for so long; CPU counts until all of it is recorded and receipted."""
    before, begin = home.cpu(), time.monotonic()
    fired = volley.fire(home.port, home.trust, wishes, clients, seconds)
    after, recorded_at = quiet(home)
    took = time.monotonic() - begin
    used = {name: after[name] - before[name] - home.idle[name] * took for name in after}
    return Run(fired, used, recorded_at - begin)


def look_at_idle(home: Home) -> dict[str, float]:
    """What heartbeats and patrols cost, which no command caused: seconds of CPU in each second."""
    before = quiet(home).cpu
    time.sleep(_IDLE_SECONDS)
    after = home.cpu()
    return {name: (after[name] - before[name]) / _IDLE_SECONDS for name in after}


def quiet(home: Home) -> Quiet:
    """Wait until what was told is recorded and receipted, and nobody works any more."""
    end = time.monotonic() + _QUIET_SECONDS
    last, looks = home.cpu(), 0
    recorded_at = None
    while time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
        now, is_recorded = home.cpu(), home.unreceipted() == 0
        recorded_at = (recorded_at or time.monotonic()) if is_recorded else None
        is_quiet = recorded_at is not None and sum(now.values()) - sum(last.values()) < _QUIET_CPU * _LOOK_SECONDS
        last, looks = now, looks + 1 if is_quiet else 0
        if recorded_at is not None and looks == _QUIET_LOOKS:
            return Quiet(now, recorded_at)
    raise AssertionError(f"{home.name} is still at work {_QUIET_SECONDS:.0f} s after the last answer")
