"""The first process of a container: starts one part, and listens to what it tells systemd elsewhere (sd_notify).

A part that is ready and alive shows by a file, which Docker's health check looks at. Docker starts nobody anew who is
ill, but only who has ended: a part that has fallen silent is ended here, with its container, and Docker starts both.
"""

import contextlib
import logging
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared.running.log import facts

log = logging.getLogger(__name__)

SILENCE_SECONDS = 20.0
"""WatchdogSec= of the units."""
STOP_SECONDS = 8.0
"""How long a part may take to end; Docker's own patience is 10 s, and then it leaves no word."""
_LOOK_SECONDS = 1.0
_MOST_BYTES = 4096
_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
KILLED = 128
"""And the signal's number: the exit code of whoever a signal ended, as shells have it."""


class Sign:
    """What a part told, as the file `path` has it: there while it is ready, as old as its last sign of life."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._words = ""
        self._is_ready = False
        self._heard = 0.0
        path.unlink(missing_ok=True)

    def take(self, message: bytes, now: float) -> None:
        """One message of sd_notify(3); `now` is seconds since 1970."""
        lines = message.decode(errors="replace").splitlines()
        for line in lines:
            if line.startswith("STATUS="):
                self._words = line.removeprefix("STATUS=")
        self._is_ready = "STOPPING=1" not in lines and (self._is_ready or "READY=1" in lines)
        if not self._is_ready:
            self.path.unlink(missing_ok=True)
        elif "READY=1" in lines or "WATCHDOG=1" in lines:
            self.path.write_text(f"{self._words}\n")
            os.utime(self.path, (now, now))
            self._heard = time.monotonic()

    def is_silent(self) -> bool:
        """Whether it was ready, and has said nothing for too long."""
        return self._is_ready and time.monotonic() - self._heard > SILENCE_SECONDS


def keep(command: Sequence[str], run: Path, environment: Mapping[str, str] = os.environ) -> int:
    """Run it until it ends or a signal says so; its exit code. `run` is a folder of ours that a restart empties."""
    run.mkdir(parents=True, exist_ok=True)
    sign = Sign(run / "well")
    with contextlib.ExitStack() as end:
        told = end.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
        place = run / "notify"
        place.unlink(missing_ok=True)
        told.bind(str(place))
        place.chmod(0o600)
        woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in (*_PASSED_ON, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        part = subprocess.Popen(command, env={**environment, "NOTIFY_SOCKET": str(place)})  # noqa: S603 - commands.py
        return _watch(part, told, woken, sign)


def _watch(part: "subprocess.Popen[bytes]", told: socket.socket, woken: int, sign: Sign) -> int:
    ends_at = float("inf")
    while True:
        select.select([told.fileno(), woken], [], [], _LOOK_SECONDS)
        with contextlib.suppress(BlockingIOError):
            while True:
                sign.take(told.recv(_MOST_BYTES), time.time())
        with contextlib.suppress(BlockingIOError):
            for number in os.read(woken, _MOST_BYTES):
                if number in _PASSED_ON:
                    part.send_signal(number)
                    if number != signal.SIGHUP:
                        ends_at = min(ends_at, time.monotonic() + STOP_SECONDS)
        _bury(part)
        if part.returncode is not None:
            sign.path.unlink(missing_ok=True)
            return part.returncode if part.returncode >= 0 else KILLED - part.returncode
        if sign.is_silent():
            log.error("Part is frozen, and is ended", extra=facts(process=part.pid))
            part.kill()
        elif time.monotonic() > ends_at:
            log.error("Part does not end, and is ended", extra=facts(process=part.pid))
            part.kill()


def _bury(part: "subprocess.Popen[bytes]") -> None:
    """The first process of a container is everybody's parent in the end."""
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if found.si_pid == part.pid:
                part.poll()
                return
            os.waitpid(found.si_pid, os.WNOHANG)
