"""The board's hardware watchdog: it resets the board unless the agent's loop feeds it in time.

Linux's interface (kernel.org, Documentation/watchdog/watchdog-api.rst): opening the device starts the timer, writing
feeds it, and only closing it after the letter V stops it. A process that hangs or dies does not write that letter.
"""

import errno
import fcntl
import logging
import os
import struct
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.running.config import ConfigError
from shared.running.log import facts

log = logging.getLogger(__name__)

SET_TIMEOUT = 0xC004_5706
"""WDIOC_SETTIMEOUT: takes whole seconds, and gives back what the board made of them."""
FOOD = b"\0"
MAGIC = b"V"
FEEDS_PER_TIMEOUT = 3

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
        self, path: Path | None, seconds: int, *, ioctl: Callable[[int, int, bytes], bytes] = fcntl.ioctl
    ) -> None:
        """Raises ConfigError where the device cannot be used; its timer then does not run."""
        self._path = path
        self._device: int | None = None
        self._every = seconds / FEEDS_PER_TIMEOUT
        self._at = float("-inf")
        if path is None:
            return
        try:
            self._device = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            advice = _OPEN_ADVICE.get(error.errno or 0, "name a Linux watchdog device, such as /dev/watchdog")
            raise ConfigError(f"watchdog: {path} cannot be opened ({error.strerror}); {advice}") from error
        try:
            granted = struct.unpack("i", ioctl(self._device, SET_TIMEOUT, struct.pack("i", seconds)))[0]
        except OSError as error:
            if error.errno == errno.ENOTTY:
                raise ConfigError(f"watchdog: {path} is no watchdog; on a Pi it is /dev/watchdog") from error
            self._stop()
            raise ConfigError(
                f"watchdog_seconds: {path} does not take {seconds} ({error.strerror}); a Pi takes at most 15"
            ) from error
        self._every = granted / FEEDS_PER_TIMEOUT
        log.info("Hardware watchdog runs", extra=facts(device=path, seconds=granted))

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

    def _stop(self) -> None:
        assert self._device is not None
        self._write(MAGIC)
        os.close(self._device)
        self._device = None

    def _write(self, what: bytes) -> None:
        assert self._device is not None
        try:
            os.write(self._device, what)
        except OSError as error:
            # Devices work, and whoever is at the board has until the reset to read why it comes.
            log.error("Hardware watchdog takes no word", extra=facts(device=self._path, reason=error))
