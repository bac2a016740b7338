"""The room's connection as the loop knows it: what it asks of it, and what comes of it; broker_link.py is it."""

from typing import NamedTuple, Protocol

from device_agents.inbox import Connection
from shared.trust.renewal import Newest


class Heard(NamedTuple):
    """A message from the broker, and when it arrived (monotonic)."""

    topic: str
    payload: bytes
    retained: bool
    at: float
    connection: object
    mid: int


class Reached(NamedTuple):
    """A client has its socket; what comes over it is now the loop's to read."""

    client: object


class Up(NamedTuple):
    """A connection is usable: subscribed to everything, and nothing was refused."""

    client: object


NOBODY = "nobody answers: either no machine of that address, or no name server that is asked for its name"
"""Why there is no connection where there was no answer at all, to TLS or before it."""


class Down(NamedTuple):
    """A connection is lost, or never came about; `refused` where TLS did not let it."""

    client: object
    reason: str
    refused: bool = False


class Refused(NamedTuple):
    """The broker does not let us say something; the hub may first have to learn of a device from our description."""


class Link(Connection, Protocol):
    """What the loop asks of its connection. `now` is monotonic seconds."""

    session: str
    up: bool
    failures: int
    """How many tries in a row did not connect."""
    newest: Newest
    """What became of the newest pair on disk, when the last connection came about."""

    def tick(self, now: float) -> None:
        """Connect where it is time to; give up what takes too long; keep alive what is up."""

    def deadline(self) -> float:
        """When it wants its next `tick`."""

    def took(self, event: Reached | Up | Down, now: float) -> bool:
        """Fold what became of a connection; True when a usable one has just come about."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry: float | None = None) -> bool:
        """Publish with quality of service 1; False where there is no connection."""

    def flush(self) -> None:
        """Send what was said and confirmed since the last time, in one piece."""

    def is_slow(self, now: float) -> bool:
        """Whether what comes over it may have been under way for too long to be believed."""

    def done_with(self, heard: Heard) -> None:
        """The loop has dealt with it: the broker may send more."""

    def close(self) -> None:
        """Say goodbye and leave; waits less than a second."""
