"""The room's file on its card: how another one takes its place, is tried, and gives way again. kill -9 at any step is
mended by the next start.

Beside `hall.toml` lies the folder `hall.history`: former files by the time at which they went, `trial.json` while a new
one has not shown yet that the room comes back with it, and `answer.json`, what became of the last settings.
"""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from device_agents import files
from shared.running.log import facts
from shared.words.room_file import Complaint, FileAnswer

log = logging.getLogger(__name__)
S = TypeVar("S", bound=msgspec.Struct)

KEPT = 20
"""So many former files are kept."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is tried: by which settings it was made, its version, and the file to go back to."""

    id: str
    version: str
    former: str
    former_version: str
    began: bool = False
    """Whether a process has begun to live with it: the next one that finds it so knows that this one failed."""


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """The last answer, and whether it is told in the record yet."""

    answer: FileAnswer
    told: bool = False


class Shelf:
    """Of the room's file at `path`. Blocks for the disk; raises OSError where that fails: nothing is half done then.

    `wall` is the time in UTC; `checkpoint` is told of each step, for tests.
    """

    def __init__(
        self, path: Path, *, wall: Callable[[], datetime], checkpoint: Callable[[str], None] = lambda _name: None
    ) -> None:
        self.path = path
        self.folder = path.with_name(f"{path.stem}.history")
        self.candidate = self.folder / "candidate.toml"
        """Where a file lies while it is looked at."""
        self._new = path.with_name(f"{path.name}.new")
        self._trial = self.folder / "trial.json"
        self._answer = self.folder / "answer.json"
        self._wall = wall
        self._checkpoint = checkpoint

    def read(self) -> bytes:
        """The file as it stands."""
        return self.path.read_bytes()

    def trial(self) -> Trial | None:
        """What is tried just now."""
        return _read(self._trial, Trial)

    def noted(self) -> Noted | None:
        """What became of the last settings."""
        return _read(self._answer, Noted)

    def note(self, answer: FileAnswer, *, told: bool = False) -> None:
        """Remember what became of settings."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        files.write(self._answer, msgspec.json.encode(Noted(answer=answer, told=told)), 0o600)

    def write_candidate(self, content: bytes) -> None:
        """Lay a file where it can be looked at, and no agent runs by it."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        files.write(self.candidate, content, 0o600)

    def take(self, id_: str, of: bytes, content: bytes) -> bool:
        """Let `content` take the place of the file, on trial; False where that is not `of` any more."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        former = self._keep(of, "")
        self._checkpoint("former kept")
        files.write(self._new, content, self.path.stat().st_mode & 0o777, exactly=True)
        marked = Trial(id=id_, version=version(content), former=former, former_version=version(of))
        files.write(self._trial, msgspec.json.encode(marked), 0o600)
        self._checkpoint("marked")
        if self.read() != of:
            self._drop()
            return False
        files.move(self._new, self.path)
        self._checkpoint("swapped")
        return True

    def begin(self) -> Trial | None:
        """A process starts: what it tries, where it tries something.

        What an earlier one began to try and never ended is over: the former file is there again when this returns.
        """
        trial = self.trial()
        if trial is None:
            self._new.unlink(missing_ok=True)
            return None
        stands, noted = version(self.read()), self.noted()
        if stands == trial.former_version or (noted is not None and noted.answer.id == trial.id):
            # Stopped before the new file was in its place, or when all but this was done.
            if stands == trial.version and noted is not None and noted.answer.outcome == "put-back":
                self._go_back(trial)
            self._drop()
            return None
        if stands != trial.version:
            text = "The room's file was changed by hand while this was tried. It goes by what was written by hand."
            self._answered(trial, "refused", text)
            self._drop()
            return None
        if trial.began:
            self.go_back("The room ended while it tried this, or lost its power.")
            return None
        began = msgspec.structs.replace(trial, began=True)
        files.write(self._trial, msgspec.json.encode(began), 0o600)
        self._checkpoint("begun")
        return began

    def settle(self) -> None:
        """The room has come back: the new file stays."""
        if (trial := self.trial()) is not None:
            self._answered(trial, "taken")
            self._checkpoint("taken noted")
            self._drop()

    def go_back(self, why: str, more: tuple[Complaint, ...] = ()) -> None:
        """The room did not come back: its former file again. A file that was changed by hand since stays."""
        if (trial := self.trial()) is None:
            return
        if not (self.folder / trial.former).exists():
            log.error("Former file is gone, so the new one stays", extra=facts(file=self.folder / trial.former))
            self.settle()
            return
        self._answered(trial, "put-back", why, more)
        self._checkpoint("put back noted")
        if version(self.read()) == trial.version:
            self._go_back(trial)
        self._checkpoint("put back")
        self._drop()

    def _go_back(self, trial: Trial) -> None:
        former = (self.folder / trial.former).read_bytes()
        self._keep(self.read(), ".tried")
        files.write(self._new, former, self.path.stat().st_mode & 0o777, exactly=True)
        files.move(self._new, self.path)

    def _answered(self, trial: Trial, outcome: Any, why: str = "", more: tuple[Complaint, ...] = ()) -> None:
        complaints = (Complaint(text=why[:400]), *more) if why else more
        self.note(FileAnswer(id=trial.id, outcome=outcome, at=self._wall(), complaints=complaints[:64]))

    def _drop(self) -> None:
        self._trial.unlink(missing_ok=True)
        files.sync(self.folder)
        self._new.unlink(missing_ok=True)

    def _keep(self, content: bytes, what: str) -> str:
        """A file that goes, under the time of now; the oldest go for good."""
        name = f"{self._wall():%Y%m%dT%H%M%SZ}-{version(content)[:8]}{what}.toml"
        files.write(self.folder / name, content, 0o600)
        kept = sorted(self.folder.glob("*Z-*.toml"))
        for old in kept[: max(0, len(kept) - KEPT)]:
            if old.name != name:
                old.unlink(missing_ok=True)
        return name


def version(content: bytes) -> str:
    """Which file it is."""
    return hashlib.sha256(content).hexdigest()


def _read(path: Path, kind: type[S]) -> S | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:  # we rename what is whole: this was somebody else's hand
        log.error("File makes no sense, and is left aside", extra=facts(file=path, reason=error))
        return None
