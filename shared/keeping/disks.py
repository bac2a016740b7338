"""A disk that takes nothing, in words: what is the matter, and what to do first."""

import errno
import os
import sqlite3
from pathlib import Path

_LEAST_BYTES = 128 * 1024
"""With less than this SQLite cannot even make what it keeps beside a database."""
FULL = "its disk is full: free space there (`df -h` shows it), then try again"
_STEPS = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: "its user may fill no more of the disk: free space there, then try again",
    errno.EROFS: "its disk is mounted for reading only: `dmesg` says why; mount it for writing, then try again",
    errno.EIO: "its disk fails, as `dmesg` says: have another one ready, and a backup on neither of them",
}


def fault(error: OSError) -> str | None:
    """What is wrong with the disk, and the next step; None for an error that is none of a disk's."""
    return _STEPS.get(error.errno or 0)


def is_of_a_full_disk(error: BaseException) -> bool:
    """Whether SQLite, or the system, says so."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code == sqlite3.SQLITE_FULL or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT))


def is_full(folder: Path) -> bool:
    """Whether there is no room in it for us, or for another file; False where that cannot be told."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _LEAST_BYTES or (disk.f_files > 0 and disk.f_favail == 0)


def lacks_room(path: Path, error: BaseException) -> bool:
    """Whether it is for want of room that a file cannot be used, also of room that what failed has given back since."""
    return is_of_a_full_disk(error) or is_full(path.parent)


def why(path: Path, error: BaseException) -> str:
    """Why a file cannot be used, in words: SQLite has several for want of room, and none says what to do."""
    return FULL if lacks_room(path, error) else str(error)
