"""A backup to the target: made, carried there, noted, and what no rule keeps any more taken away.

It may be interrupted anywhere: the next one finds what was left, and nothing that counts as made is half.
"""

import contextlib
import datetime as dt
import hashlib
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from deploy.archives import backup, pruning, revocations, targets
from deploy.archives import plan as plans
from deploy.archives.folders import FolderTarget
from deploy.archives.plan import Made, Plan
from deploy.archives.targets import Target
from deploy.folder import parts
from shared.keeping import notes
from shared.running.config import ConfigError
from shared.running.log import facts
from shared.words.noted import BackupMade, BackupTarget
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

EVERY = dt.timedelta(hours=23, minutes=30)
"""How old the last one has to be before the timer, which comes every hour, makes another: so that two calls in one
minute, as at the moment when the clock is set, make one, and a disk that is plugged in gets its backup within the hour.
"""


class Sent(NamedTuple):
    """What is at the target now, what is not in it, and what was taken away there."""

    name: str
    size: int
    elsewhere: list[str]
    pruned: list[str]


def key_name(recipient: str) -> str:
    """What the key under its passphrase is called at the target: by the key, as older archives may have another."""
    return f"homesystem-key-{hashlib.sha256(recipient.encode()).hexdigest()[:8]}.age"


def put_key(folder: Path, recipient: str, protected: str) -> None:
    """Put the key under its passphrase beside an archive that somebody has in a folder. Raises HomeError."""
    FolderTarget(folder).write(key_name(recipient), protected.encode())


def send(var: Path, plan: Plan, now: dt.datetime) -> Sent:
    """Make a backup at the plan's target. Raises HomeError (no-proof, not-found), ConfigError; it is noted then."""
    with _noted(var, plan, now):
        target = _reached(var, plan)
        return _send(var, plan, target, now)


def send_first(var: Path, plan: Plan, now: dt.datetime) -> Sent:
    """The same at a place that is to become the target; how it goes is noted nowhere. Raises as `send` does."""
    return _send(var, plan, _reached(var, plan), now)


def send_due(var: Path, plan: Plan, now: dt.datetime) -> Sent | None:
    """What the timer does: the list of revocations anew, and a backup where the last one is old enough."""
    with _noted(var, plan, now):
        target = _reached(var, plan)
        there = target.names()
        if not _is_due((one for one in plans.made(var) if one.name in there), now):
            _carry_list(var, plan, target, now)
            return None
        return _send(var, plan, target, now)


def send_list(var: Path, plan: Plan, now: dt.datetime) -> None:
    """Who was revoked, at once. Raises HomeError, ConfigError; it is noted then, and the timer tries again."""
    with _noted(var, plan, now):
        _carry_list(var, plan, targets.found(plan, plans.folder(var)), now)


def newest(var: Path, plan: Plan) -> str:
    """The name of the newest archive at the target. Raises HomeError: not-found, no-proof."""
    target = targets.found(plan, plans.folder(var))
    if (found := pruning.newest(target.names())) is None:
        raise HomeError("not-found", f"There is no backup at {target.name} yet: homesystem backup")
    return found


def _reached(var: Path, plan: Plan) -> Target:
    if plan.recipient is None:
        raise HomeError("not-found", "There is no key to seal backups for: homesystem backup key (docs/backup.md).")
    target = targets.found(plan, plans.folder(var))
    target.tidy()
    return target


def _send(var: Path, plan: Plan, target: Target, now: dt.datetime) -> Sent:
    assert plan.recipient is not None
    name, before = pruning.name(now), plans.made(var)
    # Fewer may be kept than before, as the disk is full: those that no rule keeps any more make room.
    outworn = pruning.outworn(target.names(), [one.name for one in before], plan.keep)
    if outworn:
        target.remove(outworn)
    # Noted before it is there: what a power cut leaves at the target is ours, and will be pruned.
    begun = Made(name, now, None)
    made = [*before, begun]
    plans.note(var, made)
    if plan.key is not None and (beside := key_name(plan.recipient)) not in target.names():
        target.write(beside, plan.key.encode())
    size, elsewhere = target.make(name, lambda path: backup.write(var, path, now, plan.recipient))
    made[-1] = Made(name, now, size)
    plans.note(var, made)
    _carry_list(var, plan, target, now)
    there = target.names()
    gone = pruning.outworn(there, [one.name for one in made], plan.keep)
    target.remove(gone)
    plans.note(var, [one for one in made if one.name in there and one.name not in gone])
    return Sent(name, size, elsewhere, sorted({*outworn, *gone}))


def _carry_list(var: Path, plan: Plan, target: Target, now: dt.datetime) -> None:
    assert plan.recipient is not None
    with plans.listing(var):
        revocations.carry(var, target, plan.recipient, now)


def _is_due(made: Iterable[Made], now: dt.datetime) -> bool:
    """Of one whose moment is still to come nothing is believed: the clock was wrong, then or now."""
    last = max((one.at for one in made if one.size is not None and one.at <= now), default=None)
    return last is None or now - last >= EVERY


@contextlib.contextmanager
def _noted(var: Path, plan: Plan, now: dt.datetime) -> Iterator[None]:
    """Leaves for the doctor, the letters and the house's page how it went."""
    try:
        yield
    except HomeError as error:
        note(var, plan, now, error.detail)
        raise
    except (ConfigError, OSError) as error:
        note(var, plan, now, str(error))
        raise
    note(var, plan, now)


def note(var: Path, plan: Plan, now: dt.datetime, failure: str = "") -> None:
    """Leave it for whoever may not look into the plan. A disk that takes nothing hinders no backup."""
    folder = parts.folder(var, "gateway") / "data"
    try:
        whole = [one for one in plans.made(var) if one.size is not None]
        last = max(whole, key=lambda one: one.at, default=None)
        former = notes.read(folder, BackupTarget)
        told = BackupTarget(
            where=plan.target or "",
            since=former.since if former is not None and former.where == plan.target else now,
            good=last.at if last is not None else None,
            tried=now,
            failure=failure,
        )
        notes.write(folder, told)
        if last is not None and not failure:
            notes.write(folder, BackupMade(at=last.at, size=last.size or 0))
    except (OSError, ConfigError, HomeError) as error:
        log.warning("How the backup went cannot be noted", extra=facts(reason=error))
