"""What the `homesystem` command found or made last, as it leaves it for the house's page (shared/keeping/notes.py)."""

from datetime import datetime

import msgspec


class DoctorLine(msgspec.Struct, frozen=True):
    """One finding, as `homesystem doctor --json` has it. `state`: well, wrong or skipped. `step`: for what is wrong."""

    area: str
    state: str
    text: str
    step: str


class DoctorReport(msgspec.Struct, frozen=True):
    """What `homesystem doctor --json` prints (docs/doctor.md): fields may be added, and none changes its meaning."""

    well: bool
    at: datetime
    findings: list[DoctorLine]


class BackupMade(msgspec.Struct, frozen=True):
    """The last archive that `homesystem backup` wrote whole; where it lies now, nobody here knows."""

    at: datetime
    size: int
