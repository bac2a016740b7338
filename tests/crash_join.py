"""Joins as a room's machine does, killed as by kill -9 before an effect of a given number. For crash tests.

`python -m tests.crash_join NUMBER ROOM HUB CA OUT`, with the token on standard input; number 0 lives. An effect is a
folder that is made, a file that is renamed or removed, a program that is started, and what is sent to the hub.
"""

import os
import signal
import sys
import threading
from typing import Any

from device_agents.joining import __main__ as joining
from tests.effects import Effects

_COUNTED = {"os.mkdir", "os.rename", "os.remove", "subprocess.Popen", "http.client.send"}


def main() -> int:
    """The exit code of the join, where it lives."""
    number, room, place, ca, out = sys.argv[1:]
    dying = threading.Event()

    def kill() -> None:
        dying.set()
        os.kill(os.getpid(), signal.SIGKILL)

    effects = Effects(kill, lambda what: print(what, flush=True))

    def hear(event: str, _arguments: tuple[Any, ...]) -> None:
        if event in _COUNTED and not dying.is_set():
            effects.before(event)

    effects.arm(int(number) or sys.maxsize)
    sys.addaudithook(hear)
    return joining.main([room, place, "--ca", ca, "--out", out])


if __name__ == "__main__":
    sys.exit(main())
