"""One command at a time changes who is who in a home: a lock that the others wait for, saying so."""

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.folder import parts
from shared.running.config import ConfigError

_MOST_BYTES = 4096
"""Of the lock's file, which says who has it."""


@contextlib.contextmanager
def turn(var: Path, what: str) -> Iterator[None]:
    """Wait until no other command is at it in the home `var`; `what` tells those who wait then what they wait for.

    What changed in it is handed out to the home's parts, where these live apart. The kernel ends it with the process,
    however that dies. It is not to be taken twice by one process.
    Raises ConfigError where the lock's file cannot be used.
    """
    path = var / "turn.lock"
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        step = f"give it back to the home's user: {parts.given_back(var)}"
        raise ConfigError(f"{path}: cannot be used ({error.strerror}); {step}") from error
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(number, _MOST_BYTES, 0).decode(errors="replace").strip()
            if holder.endswith(f"(process {os.getpid()})"):
                raise RuntimeError("this process has its turn already") from None
            print(f"Waiting for {holder or 'another command'} to end …", file=sys.stderr, flush=True)
            fcntl.flock(number, fcntl.LOCK_EX)
        # Who waits is told less then: a disk that is full is no reason to wait for nobody.
        with contextlib.suppress(OSError):
            os.ftruncate(number, 0)
            os.pwrite(number, f"{what} (process {os.getpid()})\n".encode(), 0)
        yield
        parts.hand_out(var)
    finally:
        os.close(number)
