"""Files that are replaced whole: whoever opens one finds the old content or the new, never a part of either.

Where two may replace one at a time, a lock beside it says whose turn it is.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from shared.keeping import sharing


def write(path: Path, content: bytes, mode: int) -> None:
    """Replace a file whole, with its mode from the first moment; on the disk when this returns.

    Where the folder is shared with a service (shared/keeping/sharing.py), that can read it, and nobody else.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        if sharing.is_shared(path.parent):
            os.fchmod(file.fileno(), (mode | 0o040) & ~0o007)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Have the disk keep what was renamed in a folder: a name is the folder's content, not the file's."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock that is this file; the kernel ends it with the process.

    Raises BlockingIOError where somebody else has it and we do not `wait`, OSError.
    """
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(number)
