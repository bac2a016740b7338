"""What the `homesystem` command found or made last, as it leaves it for the house's page (shared/keeping/notes.py)."""

from datetime import datetime

import msgspec

from shared.words.messages import Moment

BACKUP_DAYS = 3
"""So old may the last good backup at a target be: one is made each day."""
BY_HAND_DAYS = 31
"""So old may it be where somebody makes them by hand."""


class DoctorLine(msgspec.Struct, frozen=True):
    """One finding, as `homesystem doctor --json` has it. `state`: well, wrong or skipped. `step`: for what is wrong.

    `noted`: of what is skipped, whether it was looked at and is no fault, as a room that is off.
    """

    area: str
    state: str
    text: str
    step: str
    noted: bool = False


class DoctorReport(msgspec.Struct, frozen=True):
    """What `homesystem doctor --json` prints (docs/doctor.md): fields may be added, and none changes its meaning."""

    well: bool
    at: datetime
    findings: list[DoctorLine]


class BackupMade(msgspec.Struct, frozen=True):
    """The last archive that `homesystem backup` wrote whole; where it lies now, nobody here knows."""

    at: Moment
    size: int


class BackupTarget(msgspec.Struct, frozen=True):
    """How it went the last time that backups were to go to their target. `where` names it, and is empty for none.

    `since`: when it became the target; `good`: the last archive that lies there whole; `tried`: when this was noted;
    `failure`: why it could not be, a sentence, empty where all is well.
    """

    where: str
    since: datetime
    good: datetime | None
    tried: datetime
    failure: str = ""
