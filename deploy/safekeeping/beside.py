"""Who was revoked after a backup was made, as it stands beside that backup; believed only as the home's own word."""

import datetime as dt
import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from deploy.archives import revocations
from deploy.archives.backup import HOME, Label
from deploy.archives.revocations import Revoked
from deploy.archives.sealing import Key
from shared.running.config import ConfigError
from shared.words.problem import HomeError


class Listed(NamedTuple):
    """What stands there, where it counts; else why it does not, a sentence without its stop. Neither where there is
    nothing.
    """

    told: Revoked | None
    fault: str = ""


def listed(archive: Path, key: Key | None, work: Mapping[str, Path], label: Label) -> Listed:
    """The list beside `archive`, which `key` opened and which lies unpacked in `work`."""
    path = archive.with_name(revocations.NAME)
    if key is None or not path.is_file():
        return Listed(None)
    plain = io.BytesIO()
    try:
        if path.stat().st_size > revocations.MOST_BYTES:
            raise HomeError("invalid-value", "it is too large")
        with path.open("rb") as sealed:
            key.open(sealed, plain)
        told = revocations.opened(plain.getvalue(), revocations.secret_of(work[HOME]))
    except (HomeError, ConfigError, OSError) as error:
        why = error.detail if isinstance(error, HomeError) else str(error)
        return Listed(None, f"The list of who was revoked, {path.name}, does not count: {why}")
    if told.at < dt.datetime.fromisoformat(label.at):
        return Listed(None, f"The list of who was revoked, {path.name}, is older than the backup, and does not count")
    return Listed(told)
