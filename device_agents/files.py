"""Files that are replaced whole: whoever opens one finds the old content or the new, also after a power cut."""

import os
from pathlib import Path


def write(path: Path, content: bytes, mode: int, *, exactly: bool = False) -> None:
    """Replace a file; `exactly`: with that very mode, whatever the process else takes away of it. Raises OSError."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        if exactly:
            os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    move(temporary, path)


def move(source: Path, target: Path) -> None:
    """Renamed, and on the disk when this returns."""
    source.replace(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Have the disk keep what a file holds, or which names a folder has."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
