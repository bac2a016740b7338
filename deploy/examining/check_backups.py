"""What the doctor sees of backups: whether they go anywhere, how old the last good one is, and why it is not newer.

It knows from what the command left (shared/keeping/notes.py): where backups go and what lies there is root's to see.
"""

import datetime as dt
from collections.abc import Iterator

from deploy.examining.finding import Finding, noted, well, wrong
from deploy.folder.home import Home
from shared.keeping import notes
from shared.words.noted import BACKUP_DAYS, BY_HAND_DAYS, BackupMade, BackupTarget

_AGAIN = "see to the target, then `homesystem backup`; journalctl -u homesystem-backup tells more"


def backups(home: Home, now: dt.datetime) -> Iterator[Finding]:
    """The last good one, at the target or by hand."""
    folder = home.notes
    target = notes.read(folder, BackupTarget)
    if target is not None and target.where:
        yield from _at_target(target, now)
    elif home.settings.demo:
        yield well("backups", "a demo home needs none")
    else:
        yield from _by_hand(notes.read(folder, BackupMade), now)


def _at_target(target: BackupTarget, now: dt.datetime) -> Iterator[Finding]:
    age = now - (target.good or target.since)
    told = (
        f"the last backup at {target.where} is {_days(age)} old" if target.good else f"none lies at {target.where} yet"
    )
    if age >= dt.timedelta(days=BACKUP_DAYS):
        yield wrong("backups", f"{told}{f': {target.failure}' if target.failure else ''}", _AGAIN)
    elif target.failure:
        yield wrong("backups", f"the last try failed: {target.failure}", _AGAIN)
    else:
        yield well("backups", told)


def _by_hand(made: BackupMade | None, now: dt.datetime) -> Iterator[Finding]:
    step = "`homesystem backup key` and `homesystem backup target` have one made each day: docs/backup.md"
    if made is None:
        yield noted("backups", f"nobody ever made one, and none goes anywhere by itself: {step}")
    elif (age := now - made.at) >= dt.timedelta(days=BY_HAND_DAYS):
        yield wrong("backups", f"the last backup was made by hand, {_days(age)} ago", step)
    else:
        yield noted("backups", f"the last one was made by hand, {_days(age)} ago; none goes anywhere by itself: {step}")


def _days(age: dt.timedelta) -> str:
    days = max(0, round(age.total_seconds() / 86400))
    return "less than a day" if age < dt.timedelta(days=1) else f"{days} day{'' if days == 1 else 's'}"
