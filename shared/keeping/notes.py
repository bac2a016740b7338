"""What the `homesystem` command leaves for the house's page: the doctor's last report, and how backups went.

Small files beside the databases, whole or not at all; whoever writes as root leaves them to the folder's owner.
"""

import logging
import os
from pathlib import Path
from typing import TypeVar

import msgspec

from shared.keeping import sharing
from shared.running.log import facts
from shared.words.languages import later
from shared.words.noted import BackupMade, BackupTarget, DoctorReport
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

UNREADABLE = later("What the hub's command left cannot be read.")
_MOST_BYTES = 262_144


Note = DoctorReport | BackupMade | BackupTarget
N = TypeVar("N", DoctorReport, BackupMade, BackupTarget)
_FILES: dict[type[Note], str] = {
    DoctorReport: "doctor.json",
    BackupMade: "backup.json",
    BackupTarget: "backup-target.json",
}


def write(folder: Path, note: Note) -> None:
    """Put it into the home's folder of databases, in place of the one before. Raises OSError."""
    path = folder / _FILES[type(note)]
    begun = path.with_name(f".{path.name}.new")
    begun.unlink(missing_ok=True)
    owner = folder.stat()
    with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        if sharing.is_shared(folder):
            os.fchmod(file.fileno(), 0o640)
        if os.geteuid() != owner.st_uid:
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        file.write(msgspec.json.encode(note))
    begun.replace(path)


def read(folder: Path, kind: type[N]) -> N | None:
    """The last one; None where there is none. Raises HomeError("internal") for one that cannot be read."""
    path = folder / _FILES[kind]
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES)
        return msgspec.json.decode(content, type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("What the hub's command left cannot be read", extra=facts(file=path, reason=error))
        raise HomeError("internal", UNREADABLE) from error
