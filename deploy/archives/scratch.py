"""Folders in the making that hold the keys of a home, and are gone with whoever made them, however that ended.

Each is locked by its maker, and the kernel ends that lock with the process: one that nobody holds was left by a power
cut, and is taken away by whoever makes the next.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

OPENED, VERIFY, FETCHED = ".homesystem-opened-", ".homesystem-verify-", ".homesystem-fetched-"
"""How folders begin that hold an archive for as long as somebody looks into it."""


@contextlib.contextmanager
def made(place: Path, prefix: str) -> Iterator[Path]:
    """A new folder in `place`, its owner's alone, whose name begins with `prefix`; gone afterwards unless renamed."""
    clear(place, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def clear(place: Path, prefix: str) -> None:
    """Take away what was left by those that ended before they could."""
    for left in place.glob(f"{prefix}*"):
        try:
            lock = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:  # no folder, or gone by now
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(lock)
