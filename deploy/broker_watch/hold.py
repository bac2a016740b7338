"""How commands of another user, or in another container, know that the broker runs and have it read its files again.

The watch holds the file's lock for as long as it lives, which the kernel ends with it, however it dies. Whoever wants
the files read changes it, and the watch, which looks each second, passes that on to Mosquitto. In a terminal, where
the broker's process is the commands' own, they signal it themselves.
"""

import contextlib
import fcntl
import os
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from shared.keeping import sharing
from shared.running.config import ConfigError

NAME = "watch"
LOOK_SECONDS = 1.0
_AGAIN_SECONDS = 0.05
_DONE = b"done "


@contextlib.contextmanager
def held(folder: Path) -> Iterator["Hold"]:
    """Hold it while the block runs. Raises ConfigError where another does, or the folder cannot be used."""
    try:
        number = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigError(f"{folder / NAME}: cannot be used ({error.strerror}); `homesystem init` first") from error
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sharing.share_all(folder)
        try:
            yield Hold(number, folder)
        finally:
            sharing.share_all(folder)  # what the broker wrote at its end
    except BlockingIOError as error:
        raise ConfigError(f"{folder}: another broker runs on this home; stop it first") from error
    finally:
        os.close(number)


def is_held(folder: Path) -> bool:
    """Whether a broker runs that has this folder."""
    try:
        number = os.open(folder / NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(number)
    return False


def ask(folder: Path, seconds: float) -> bool:
    """Have the broker read its files again; whether it was told within so many seconds. To be called in a turn."""
    wish = secrets.token_hex(8).encode()
    number = os.open(folder / NAME, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.ftruncate(number, 0)
        os.pwrite(number, wish, 0)
        pause, end = threading.Event(), time.monotonic() + seconds
        while time.monotonic() < end:
            if os.pread(number, 64, 0) == _DONE + wish:
                return True
            pause.wait(_AGAIN_SECONDS)
    finally:
        os.close(number)
    return False


class Hold:
    """The watch's end of it."""

    def __init__(self, number: int, folder: Path) -> None:
        self._number = number
        self._folder = folder

    def wish(self) -> bytes | None:
        """What somebody wrote who wants the files read; None where nobody does.

        What the broker made meanwhile is the commands' as well from now on, where its user is another than theirs.
        """
        sharing.share_all(self._folder)
        found = os.pread(self._number, 64, 0)
        return None if not found or found.startswith(_DONE) else found

    def done(self, wish: bytes) -> None:
        """It was passed on; a wish that came meanwhile stays."""
        if os.pread(self._number, 64, 0) == wish:
            os.ftruncate(self._number, 0)
            os.pwrite(self._number, _DONE + wish, 0)
