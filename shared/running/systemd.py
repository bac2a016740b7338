"""Tells systemd (or nobody, where there is none) that a service is ready, alive or stopping. See sd_notify(3)."""

import logging
import os
import socket
from pathlib import Path

from shared.running.log import facts

log = logging.getLogger(__name__)

FEED_SECONDS = 5.0
"""So often a loop says that it goes round: several times within the units' WatchdogSec."""
ALIVE = "WATCHDOG=1"


def runtime_folder() -> Path | None:
    """The unit's RuntimeDirectory=, where it has one."""
    folder = os.environ.get("RUNTIME_DIRECTORY")
    return Path(folder) if folder else None


def notify(*states: str) -> None:
    """Send `READY=1`, `WATCHDOG=1`, `STATUS=…` or `STOPPING=1` to the service manager, if one listens.

    A line end in a state would begin another one, and words may come from a mail server: it becomes a blank.
    To be called from the loop that does the work, never from a thread beside it: a thread lives on when the loop hangs.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.sendto("\n".join(" ".join(state.splitlines()) for state in states).encode(), address)
    except OSError as error:
        # A service manager that is restarting itself is no reason for a door to stop working.
        log.warning("Service manager cannot be told", extra=facts(states=states, reason=error))


class Pulse:
    """For a loop without asyncio: `tick` says that it goes round when that is due; `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._at = float("-inf")

    def tick(self, now: float) -> None:
        """The loop is well."""
        if now >= self._at:
            self._at = now + FEED_SECONDS
            notify(ALIVE)

    def deadline(self) -> float:
        """When `tick` is due next."""
        return self._at
