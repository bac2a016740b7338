"""Runs the alert service so that kill -9 strikes between its commit and its acknowledgement (for tests alone).

`python -m tests.crash_alerts --config PATH` behaves like `python -m alert_service` until the first event is recorded;
with CRASH_AT=receipt in the environment until its first receipt is to be published.
"""

import asyncio
import os
import signal
import sys

from alert_service import __main__
from shared.broker.bus import Bus, Delivery
from shared.words import topics
from shared.words.topics import TopicKind

_send = Bus.send


def die(_bus: Bus, _delivery: Delivery) -> None:
    """Instead of acknowledging."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_of_a_receipt(bus: Bus, topic: str, payload: bytes) -> asyncio.Future[int]:
    """Instead of publishing one; everything else is published."""
    if (parsed := topics.parse(topic)) is not None and parsed.kind is TopicKind.RECEIPT:
        os.kill(os.getpid(), signal.SIGKILL)
    return _send(bus, topic, payload)


if __name__ == "__main__":
    if os.environ.get("CRASH_AT") == "receipt":
        Bus.send = die_of_a_receipt  # type: ignore[method-assign, assignment]  # the point of this module
    else:
        Bus.acknowledge = die  # type: ignore[method-assign, assignment]  # the point of this module
    sys.exit(__main__.main())
