"""How far an upgrade is, on disk before each step: whoever comes next, also after a power cut, goes on from there."""

import contextlib
import enum
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from deploy.upgrading.place import Place, UpgradeError

_FILE = "step.json"
LAST = "last.json"
"""What became of the last one."""


class Step(enum.StrEnum):
    """What is being done. Each may be done again from its beginning."""

    STOPPING = "stopping"
    COPYING = "copying"
    INSTALLING = "installing"
    TRYING = "trying"
    PUTTING_BACK = "putting-back"
    REINSTALLING = "reinstalling"
    OPENING = "opening"
    TELLING = "telling"


@dataclass(frozen=True)
class Journal:
    """One upgrade: `before` and `after` are versions, `running` the units that ran, `excused` what was wrong before.

    `why` is empty while all goes well. `restored`: whether all was as well as before, where it went back.
    """

    id: str
    at: str
    before: str
    after: str
    step: Step = Step.STOPPING
    running: tuple[str, ...] = ()
    excused: tuple[str, ...] = ()
    why: str = ""
    restored: bool = True


class Book(NamedTuple):
    """The journal where it lies."""

    folder: Path

    def read(self) -> Journal | None:
        """The upgrade that is not finished; None where there is none. Raises UpgradeError where it cannot be read."""
        path = self.folder / _FILE
        try:
            said = json.loads(path.read_text())
            lists = {name: tuple(said[name]) for name in ("running", "excused")}
            return Journal(**{**said, **lists, "step": Step(said["step"])})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UpgradeError(
                f"{path} cannot be read ({error}); whether an upgrade is half done, nobody knows"
            ) from error

    def write(self, journal: Journal) -> Journal:
        """From now on it is so far."""
        put(self.folder / _FILE, json.dumps(asdict(journal), indent=1))
        return journal

    def to(self, journal: Journal, step: Step, **changes: object) -> Journal:
        """On to the next step."""
        return self.write(replace(journal, step=step, **changes))  # type: ignore[arg-type]  # by name

    def end(self, journal: Journal) -> None:
        """It is over; what became of it stays."""
        put(self.folder / LAST, json.dumps(asdict(journal), indent=1))
        (self.folder / _FILE).unlink()
        _sync(self.folder)


def put(path: Path, text: str, mode: int = 0o600) -> None:
    """A file whole and on the disk, or as it was."""
    part = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextlib.contextmanager
def alone(place: Place) -> Iterator[Book]:
    """One upgrade at a time; the kernel ends the turn with the process. Raises UpgradeError where another is at it."""
    place.state.mkdir(mode=0o700, exist_ok=True)
    with (place.state / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UpgradeError(
                "another `homesystem upgrade` is at work on this machine; wait until it has ended"
            ) from None
        yield Book(place.state)
