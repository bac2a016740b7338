"""Files that a service and the hub's commands both use, each under a user of its own: the folder says so.

A folder that hands its group on (setgid) is of one service: its group is that service's user, and the hub's commands
are a member. What is its owner's alone elsewhere is there the group's as well; who the group is was decided by root.
"""

import contextlib
import os
import stat
from pathlib import Path


def is_shared(folder: Path) -> bool:
    """Whether what is made in a folder belongs to its group, too."""
    try:
        return bool(folder.stat().st_mode & stat.S_ISGID)
    except OSError:
        return False


def writable(folder: Path) -> int:
    """The mode of a file in `folder` that both sides write in place."""
    return 0o660 if is_shared(folder) else 0o600


def make_writable(path: Path, mode: int = 0o600) -> None:
    """Make a file, if there is none, that both sides write; SQLite gives its journals the mode of their database.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, mode)
    try:
        share(descriptor, path.parent)
    finally:
        os.close(descriptor)


def share(descriptor: int, folder: Path) -> None:
    """Let the group of a shared folder write an open file in it, where the file is ours to say so. Raises OSError."""
    if is_shared(folder):
        about = os.fstat(descriptor)
        if about.st_uid == os.geteuid() and (about.st_mode & 0o660) != 0o660:
            os.fchmod(descriptor, stat.S_IMODE(about.st_mode) | 0o660)


def share_all(folder: Path) -> None:
    """The same for every file right in a shared folder: for a program that closes what it makes, as Mosquitto does."""
    if not is_shared(folder):
        return
    for entry in os.scandir(folder):
        # Gone meanwhile, or no plain file.
        with contextlib.suppress(OSError):
            descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    share(descriptor, folder)
            finally:
                os.close(descriptor)
