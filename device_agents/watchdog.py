"""The board's hardware watchdog: it resets the board unless the agent's loop feeds it in time.

Linux's interface (kernel.org, Documentation/watchdog/watchdog-api.rst): opening the device starts the timer, writing
feeds it, and only closing it after the letter V stops it. A process that hangs or dies does not write that letter.
"""

import errno
import fcntl
import logging
import math
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.running.config import ConfigError
from shared.running.log import facts

log = logging.getLogger(__name__)

LEAST, MOST = 5, 15
"""Seconds that a room may ask for. A Pi's driver takes any number and counts it modulo 16 (bcm2835_wdt.c): 16 is 0."""
SET_TIMEOUT = 0xC004_5706
"""WDIOC_SETTIMEOUT: takes whole seconds."""
TIMEOUT = 0x8004_5707
"""WDIOC_GETTIMEOUT: what the driver made of them."""
TIME_LEFT = 0x8004_570A
"""WDIOC_GETTIMELEFT: whole seconds until the reset; many drivers cannot tell."""
FOOD = b"\0"
MAGIC = b"V"
FEEDS_PER_TIMEOUT = 3
SYS = Path("/sys")
_FIRST = os.makedev(10, 130)
"""/dev/watchdog, another name for the kernel's first watchdog (linux/miscdevice.h)."""

_RIGHTS = "give the agent's user the right to it (docs/setup.md, Hardware watchdog)"
_OPEN_ADVICE = {
    errno.EBUSY: "another process feeds it, most likely systemd: set RuntimeWatchdogSec=0 (docs/setup.md, Hardware "
    "watchdog), or leave `watchdog` out",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.ENOENT: "the board has none, or its driver is not loaded; on a Pi it is /dev/watchdog",
}


class Watchdog:
    """An opened watchdog device. Without a path there is none, and nothing to do.

    Use as a context manager: it is stopped when all ends well, or when the configuration turns out to be of no use,
    which nobody tries again. Whatever else ends the agent leaves it running, and the board is reset unless a new agent
    takes over in time.
    """

    def __init__(
        self,
        path: Path | None,
        seconds: int,
        *,
        ioctl: Callable[[int, int, bytes], bytes] = fcntl.ioctl,
        sys: Path = SYS,
    ) -> None:
        """Raises ConfigError where the device cannot be used; its timer then does not run, if it can be stopped."""
        self._path = path
        self._device: int | None = None
        self._ioctl = ioctl
        self._endless = False
        self._every = seconds / FEEDS_PER_TIMEOUT
        self._at = float("-inf")
        if path is None:
            return
        try:
            self._device = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            advice = _OPEN_ADVICE.get(error.errno or 0, "name a Linux watchdog device, such as /dev/watchdog")
            raise ConfigError(f"watchdog: {path} cannot be opened ({error.strerror}); {advice}") from error
        self._endless = _is_endless(os.fstat(self._device).st_rdev, sys)
        try:
            granted = self._set(seconds)
            self._check(granted)
        except ConfigError:
            self._stop()
            raise
        self._every = granted / FEEDS_PER_TIMEOUT
        log.info("Hardware watchdog runs", extra=facts(device=path, seconds=granted))
        if self._endless:
            log.warning(
                "Hardware watchdog cannot be stopped (nowayout): after any end of the agent, a clean stop too, the "
                "board is reset unless another agent has started in time",
                extra=facts(device=path, seconds=granted),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._device is None:
            return
        if kind is None or issubclass(kind, ConfigError):
            self._stop()
        else:
            log.error("Hardware watchdog is left running", extra=facts(device=self._path))

    def feed(self, now: float) -> None:
        """The loop is well. Writes only every third of the timeout; `now` is monotonic seconds."""
        if self._device is None or now < self._at:
            return
        self._at = now + self._every
        self._write(FOOD)

    def deadline(self) -> float | None:
        """When it wants to be fed; None where there is none."""
        return None if self._device is None else self._at

    def _set(self, seconds: int) -> int:
        """What the driver grants of them. Raises ConfigError."""
        try:
            self._ask(SET_TIMEOUT, seconds)
        except OSError as error:
            if error.errno == errno.ENOTTY:
                self._close()  # whatever it is, it is not to be written to
                raise ConfigError(f"watchdog: {self._path} is no watchdog; on a Pi it is /dev/watchdog") from error
            if error.errno != errno.EOPNOTSUPP:  # of those that count as they were built to
                raise ConfigError(
                    f"watchdog_seconds: {self._path} does not take {seconds} ({error.strerror}); another number from "
                    f"{LEAST} to {MOST} may do"
                ) from error
        try:
            granted = self._ask(TIMEOUT)
        except OSError as error:
            raise ConfigError(
                f"watchdog: {self._path} does not say what it counts to ({error.strerror}); leave `watchdog` out"
            ) from error
        if granted < LEAST:
            raise ConfigError(
                f"watchdog: {self._path} counts to {granted} s, and a healthy agent may need {LEAST}; leave "
                "`watchdog` out"
            )
        return granted

    def _check(self, granted: int) -> None:
        """Feed it, and hold what is left against what was granted. Raises ConfigError."""
        before = time.monotonic()
        self._write(FOOD)
        try:
            left = self._ask(TIME_LEFT)
        except OSError:
            return  # it cannot tell
        if left + 1 + math.ceil(time.monotonic() - before) < granted:
            less = f"set watchdog_seconds = {left}, or leave" if left >= LEAST else "leave"
            raise ConfigError(
                f"watchdog_seconds: {self._path} says {granted} s and counts {left}: it would reset a healthy board; "
                f"{less} `watchdog` out"
            )

    def _ask(self, request: int, value: int = 0) -> int:
        """Raises OSError."""
        assert self._device is not None
        answer: int = struct.unpack("i", self._ioctl(self._device, request, struct.pack("i", value)))[0]
        return answer

    def _stop(self) -> None:
        if self._device is None:
            return
        self._write(MAGIC)
        self._close()
        if self._endless:
            log.warning("Hardware watchdog counts on (nowayout)", extra=facts(device=self._path))

    def _close(self) -> None:
        assert self._device is not None
        os.close(self._device)
        self._device = None

    def _write(self, what: bytes) -> None:
        assert self._device is not None
        try:
            os.write(self._device, what)
        except OSError as error:
            # Devices work, and whoever is at the board has until the reset to read why it comes.
            log.error("Hardware watchdog takes no word", extra=facts(device=self._path, reason=error))


def _is_endless(number: int, sys: Path) -> bool:
    """Whether the kernel says that it never stops the timer; the device's own options name the letter all the same."""
    name = "class/watchdog/watchdog0" if number == _FIRST else f"dev/char/{os.major(number)}:{os.minor(number)}"
    try:
        return (sys / name / "nowayout").read_text().strip() == "1"
    except OSError:
        return False
