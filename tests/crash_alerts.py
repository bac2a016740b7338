"""Runs the alert service so that kill -9 strikes between its commit and its acknowledgement (for tests alone).

`python -m tests.crash_alerts --config PATH` behaves like `python -m alert_service` until the first event is recorded.
"""

import os
import signal
import sys

from alert_service import __main__
from shared.broker.bus import Bus, Delivery


def die(_bus: Bus, _delivery: Delivery) -> None:
    """Instead of acknowledging."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    Bus.acknowledge = die  # type: ignore[method-assign, assignment]  # the point of this module
    sys.exit(__main__.main())
