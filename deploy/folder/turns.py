"""One command at a time changes who is who in a home: a lock that the others wait for, saying so."""

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.folder import parts
from shared.running.config import ConfigError

LOCK = "turn.lock"
"""Lies in the home's folder, and goes away with it where another is put in its place."""
_MOST_BYTES = 4096
"""Of the lock's file, which says who has it."""


@contextlib.contextmanager
def turn(var: Path, what: str) -> Iterator[None]:
    """As `alone`; what changed in the home is handed out to its parts, where these live apart."""
    with alone(var, what):
        yield
        parts.hand_out(var)


@contextlib.contextmanager
def alone(var: Path, what: str) -> Iterator[None]:
    """Wait until no other command is at it in the home `var`; `what` tells those who wait then what they wait for.

    The home may be another one than before the waiting, or have other settings. The kernel ends it with the process,
    however that dies. It is not to be taken twice by one process.
    Raises ConfigError where the lock's file cannot be used.
    """
    path = var / LOCK
    while True:
        number = _opened(path)
        try:
            _wait_for(number)
            # Whoever puts another home in this one's place, or erases it, had the lock of a file that is gone by now.
            if not _lies_at(path, number):
                continue
            # Who waits is told less then: a disk that is full is no reason to wait for nobody.
            with contextlib.suppress(OSError):
                os.ftruncate(number, 0)
                os.pwrite(number, f"{what} (process {os.getpid()})\n".encode(), 0)
            yield
            return
        finally:
            os.close(number)


def _opened(path: Path) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        while True:
            with contextlib.suppress(FileExistsError):
                made = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
                owner = path.parent.stat()
                if os.geteuid() == 0 and owner.st_uid != 0:  # it is the home's user's, as all in its folder is
                    os.fchown(made, owner.st_uid, owner.st_gid)
                return made
            with contextlib.suppress(FileNotFoundError):  # gone in between
                return os.open(path, flags)
    except OSError as error:
        step = f"give it back to the home's user: {parts.given_back(path.parent)}"
        raise ConfigError(f"{path}: cannot be used ({error.strerror}); {step}") from error


def _wait_for(number: int) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(number, _MOST_BYTES, 0).decode(errors="replace").strip()
        if holder.endswith(f"(process {os.getpid()})"):
            raise RuntimeError("this process has its turn already") from None
        print(f"Waiting for {holder or 'another command'} to end …", file=sys.stderr, flush=True)
        fcntl.flock(number, fcntl.LOCK_EX)


def _lies_at(path: Path, number: int) -> bool:
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(number))
    except FileNotFoundError:
        return False
