"""What timers do under systemd, in a container of its own: `python -m deploy.containers.upkeep hub` or `backup`.

The one that begins repairs what an update left behind. Each is run anew after its time whether or not it went well, as
by a timer; what it says goes to the container's log.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from deploy.archives import plan
from deploy.folder import home as homes
from shared.running import log as logs
from shared.running import systemd
from shared.running.log import facts

log = logging.getLogger(__name__)

_HOUR = 3600.0
_SOON = 5.0
"""Between two looks whether there is a home by now, and between two signs of life."""
_ENDING = (signal.SIGTERM, signal.SIGINT)


class Duty(NamedTuple):
    """A command of ours, how long after the start it comes for the first time, and then after how long again."""

    words: tuple[str, ...]
    first: float
    again: float


DUTIES = {
    "hub": (
        Duty(("repair", "--quick"), 0.0, float("inf")),
        Duty(("renew",), 60.0, 6 * _HOUR),
        Duty(("doctor",), 300.0, 24 * _HOUR),
    ),
    "backup": (Duty(("backup", "timed"), 60.0, _HOUR),),
}


def is_wanted(part: str, var: Path) -> bool:
    """Whether there is anything to do: a home, and, for backups, a decision where they go."""
    is_home = (var / "home.toml").exists()
    return is_home and (part != "backup" or (plan.folder(var) / plan.NAME).exists())


def main(part: str) -> int:
    """Until a signal ends it."""
    logs.set_up(f"{part}-upkeep", None)
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    var = homes.folder()
    systemd.notify("READY=1", systemd.ALIVE)
    due: dict[Duty, float] = {}
    while True:
        now = time.monotonic()
        if not is_wanted(part, var):
            due.clear()
            systemd.notify("STATUS=There is nothing to keep up yet")
        elif not due:
            due.update({duty: now + duty.first for duty in DUTIES[part]})
            systemd.notify(f"STATUS=Keeping the home in {var} up")
        for duty in [duty for duty, at in due.items() if at <= now]:
            due[duty] = now + duty.again
            if not _done(duty):
                return 0
        if _is_told_to_end():
            return 0


def _done(duty: Duty) -> bool:
    """Run it to its end; False where we are to end ourselves, and so was it."""
    command = [sys.executable, "-P", "-m", "deploy", *duty.words]
    with subprocess.Popen(command, env=os.environ, preexec_fn=_hear) as process:  # noqa: S603, PLW1509 - no threads
        while process.poll() is None:
            if _is_told_to_end(most=_SOON / 5):
                process.terminate()
                return False
    log.info("Done", extra=facts(what=" ".join(duty.words), code=process.returncode))
    return True


def _hear() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def _is_told_to_end(most: float = _SOON) -> bool:
    """Whether a signal says so within so many seconds; a sign of life before."""
    systemd.notify(systemd.ALIVE)
    return signal.sigtimedwait(_ENDING, most) is not None


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
