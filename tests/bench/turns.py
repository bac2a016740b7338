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


class Run(NamedTuple):
    """What came of one run: the volley, and the CPU seconds that each process used for it."""

    volley: Volley
    cpu: dict[str, float]


def run(home: Home, wishes: Sequence[bytes], clients: int, seconds: float) -> Run:
    """Let so many clients send `wishes` for so long; CPU counts until all of it is recorded and receipted."""
    before, begin = home.cpu(), time.monotonic()
    fired = volley.fire(home.port, home.trust, wishes, clients, seconds)
    after = quiet(home)
    took = time.monotonic() - begin
    return Run(fired, {name: after[name] - before[name] - home.idle[name] * took for name in after})


def look_at_idle(home: Home) -> dict[str, float]:
    """What heartbeats and patrols cost, which no command caused: seconds of CPU in each second."""
    quiet(home)
    before = home.cpu()
    time.sleep(_IDLE_SECONDS)
    after = home.cpu()
    return {name: (after[name] - before[name]) / _IDLE_SECONDS for name in after}


def quiet(home: Home) -> dict[str, float]:
    """Wait until what was told is recorded and receipted, and nobody works any more; the CPU seconds by then."""
    end = time.monotonic() + _QUIET_SECONDS
    last, looks = home.cpu(), 0
    while time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
        now = home.cpu()
        is_quiet = sum(now.values()) - sum(last.values()) < _QUIET_CPU * _LOOK_SECONDS and home.unreceipted() == 0
        last, looks = now, looks + 1 if is_quiet else 0
        if looks == _QUIET_LOOKS:
            return now
    raise AssertionError(f"{home.name} is still at work {_QUIET_SECONDS:.0f} s after the last answer")
