"""Templates as they were compiled, kept from one start to the next: to compile them anew is a quarter of a start.

What is kept is run as code: it is taken only from a folder that nobody else can write to, and only as whole as it was
written, since half of it could end the process.
"""

import hashlib
import logging
import os
import stat
from pathlib import Path
from typing import Final

from shared.keeping import sharing
from shared.running.log import facts

log = logging.getLogger(__name__)

_DIGEST_BYTES: Final = hashlib.sha256().digest_size


class Compiled:
    """What is kept in one folder, by name (hexadecimal digits). `folder` None: nothing is, and all is compiled anew."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder if folder is not None and _is_ours_alone(folder) else None
        self._used: set[str] = set()

    def read(self, name: str) -> bytes | None:
        """What was written under that name; None where nothing was, or where it is not whole."""
        self._used.add(name)
        if self._folder is None:
            return None
        try:
            kept = (self._folder / name).read_bytes()
        except OSError:  # most often it was never written; what cannot be read is compiled anew
            return None
        digest, code = kept[:_DIGEST_BYTES], kept[_DIGEST_BYTES:]
        return code if hashlib.sha256(code).digest() == digest else None

    def write(self, name: str, code: bytes) -> None:
        """Keep it; where that cannot be, the next start compiles anew."""
        if self._folder is None:
            return
        part = self._folder / f"{name}.{os.getpid()}.part"
        try:
            part.write_bytes(hashlib.sha256(code).digest() + code)
            part.replace(self._folder / name)
        except OSError as error:
            log.warning("A compiled template cannot be kept", extra=facts(reason=error.strerror))

    def forget_others(self) -> None:
        """Delete what nobody asked for since the start: an earlier version's."""
        if self._folder is None:
            return
        try:
            for path in self._folder.iterdir():
                if path.name not in self._used:
                    path.unlink()
        except OSError as error:
            log.warning("Former compiled templates cannot be deleted", extra=facts(reason=error.strerror))


def _is_ours_alone(folder: Path) -> bool:
    """Made where it is not there. One that is another's, or that others may write to, is left as it is.

    Where the hub's commands share what lies beside it, they come in, too: they copy it, and take it away.
    """
    shared = sharing.is_shared(folder.parent)
    try:
        folder.mkdir(mode=0o770 if shared else 0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        log.warning("No folder for compiled templates", extra=facts(folder=folder, reason=error.strerror))
        return False
    # One that came back from a backup is theirs, as all is that lies there.
    ours = {os.geteuid(), folder.parent.stat().st_uid} if shared else {os.geteuid()}
    strangers = 0o002 if shared else 0o022
    if stat.S_ISDIR(found.st_mode) and found.st_uid in ours and not found.st_mode & strangers:
        return True
    log.warning("The folder for compiled templates is not ours alone; delete it", extra=facts(folder=folder))
    return False
