"""Tells systemd (or nobody, where there is none) that a service is ready, alive or stopping. See sd_notify(3)."""

import logging
import os
import socket

from shared.log import facts

log = logging.getLogger(__name__)


def notify(*states: str) -> None:
    """Send `READY=1`, `WATCHDOG=1`, `STATUS=…` or `STOPPING=1` to the service manager, if one listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.sendto("\n".join(states).encode(), address)
    except OSError as error:
        # A service manager that is restarting itself is no reason for a door to stop working.
        log.warning("Service manager cannot be told", extra=facts(states=states, reason=error))
