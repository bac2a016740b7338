"""Which boot of the board this is: monotonic time goes on from one process to the next, but not past a boot."""

import logging
import secrets
from pathlib import Path

from shared.running.log import facts

log = logging.getLogger(__name__)


def this_boot() -> str:
    """What the kernel calls this boot; where it does not say, each process counts as a boot of its own."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError as error:
        log.warning("Boot has no name: a restart forgets every running time", extra=facts(reason=error))
        return secrets.token_hex(16)
