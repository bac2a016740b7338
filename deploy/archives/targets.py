"""Where archives go: a folder on another disk, or one on another machine. Both carry a mark that was made at set-up.

A place without the mark is no target: the disk is not plugged in, or it is another home's. Nothing is written there.
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from deploy.archives.folders import FolderTarget
from deploy.archives.plan import Plan
from deploy.archives.sftp import SftpTarget
from shared.words.problem import HomeError

MARK = "homesystem.target"
SFTP = "sftp://"
T = TypeVar("T")


class Target(Protocol):
    """A place for archives. Each call raises HomeError("no-proof") where it cannot be reached, and says what to do."""

    name: str

    def names(self) -> set[str]:
        """What lies there."""

    def write(self, name: str, content: bytes) -> None:
        """Put something small there, whole or not at all, in the place of what was called so."""

    def read(self, name: str) -> bytes:
        """Something small. Raises HomeError("not-found") where there is none."""

    def make(self, name: str, write: Callable[[Path], T]) -> T:
        """Have `write` make a file, and put it there whole or not at all."""

    def fetch(self, name: str, into: Path) -> None:
        """Copy a file from there."""

    def remove(self, names: Collection[str]) -> None:
        """Take files away; one that is gone already is no fault."""

    def tidy(self) -> None:
        """Take away what an interrupted write left."""


class Mark(msgspec.Struct, frozen=True):
    """`mark`: what the home's plan has as well."""

    mark: str
    made_at: dt.datetime


def at(where: str, folder: Path) -> Target:
    """The target that a plan names; `folder` is the plan's own, with the key and the known hosts of SFTP."""
    return SftpTarget(where, folder) if where.startswith(SFTP) else FolderTarget(Path(where))


def found(plan: Plan, folder: Path) -> Target:
    """The plan's target, once it is known to be there and ours. Raises HomeError: no-proof, not-found (no target)."""
    if plan.target is None:
        raise HomeError(
            "not-found", "No target is set up for backups: homesystem backup target FOLDER (docs/backup.md)."
        )
    target = at(plan.target, folder)
    if (mark := marked(target)) is None:
        raise HomeError(
            "no-proof",
            f"{target.name} is not the target of this home's backups: its mark ({MARK}) is not there. If it is on a "
            "disk, that is not mounted: plug it in and mount it. If it is a new disk: homesystem backup target "
            f"{plan.target}",
        )
    if mark.mark != plan.mark:
        raise HomeError("no-proof", f"{target.name} is the target of another home. Nothing was written there.")
    return target


def marked(target: Target) -> Mark | None:
    """A target's mark, whosever it is. Raises HomeError("no-proof")."""
    with contextlib.suppress(msgspec.MsgspecError):
        if MARK in target.names():
            return msgspec.json.decode(target.read(MARK), type=Mark)
    return None


def put_mark(target: Target, mark: str, now: dt.datetime) -> None:
    """From now on it is the home's."""
    target.write(MARK, msgspec.json.encode(Mark(mark, now)) + b"\n")
