"""A log's file: a new one each day, a month kept, and a ceiling, so that no log takes the space of spool and ledger."""

import contextlib
import logging
import os
import time
from pathlib import Path

from shared.running.believed import Believed

KEPT_DAYS = 31
"""Files older than this are deleted, as far as the clock is believed."""
MOST_BYTES_A_DAY = 20 * 2**20
"""Of one log. What comes after that on the same day is left out, and counted."""
KEPT_BYTES = 100 * 2**20
"""Of one log's files together, today's included; the oldest go first."""
SPARE_BYTES = 128 * 2**20
"""So much of the disk, or a tenth of one that is small, no log takes: it is for spool, ledger and record."""

_DAY = 86400
_LOOK_SECONDS = 1.0


class DailyFile(logging.FileHandler):
    """A new file each day; at every start and turn, files older than a month are deleted by their date. By a clock that
    was set none is, until it has been left alone for a day: what a wrong one made old would be gone.

    logging.handlers has one like it; with what its others import, it would be half a megabyte of an agent's thirty.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._clock = Believed(_written_at(path), now=time.time, steady=time.monotonic)
        super().__init__(path, encoding="utf-8")
        self._path = path
        self._day = int(path.stat().st_mtime // _DAY)
        self._left_out = 0
        self._looked_at = float("-inf")
        self._is_spare = True
        self._delete_old()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, the first one of a day into a new file; past the ceiling, count it."""
        day = int(record.created // _DAY)
        if day > self._day:  # a clock that is set back turns nothing
            try:
                self._turn(day)
            except OSError:
                self.handleError(record)
        if not self._has_space():
            if not self._left_out:
                self._say("This log is full: lines are left out", {})
            self._left_out += 1
            return
        if self._left_out:
            left_out, self._left_out = self._left_out, 0
            self._say("Lines were left out", {"count": left_out})
        super().emit(record)

    def _say(self, sentence: str, fields: dict[str, object]) -> None:
        said = logging.LogRecord(__name__, logging.WARNING, __file__, 0, sentence, None, None)
        said.facts = fields
        super().emit(said)

    def _has_space(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at, self._is_spare = now, self._leaves_space()
            self._clock.look()
        if not self._is_spare:
            return False
        try:
            return self.stream is None or os.fstat(self.stream.fileno()).st_size < MOST_BYTES_A_DAY
        except (OSError, ValueError):  # closed, or no file: whoever writes there is told
            return True

    def _leaves_space(self) -> bool:
        try:
            disk = os.statvfs(self._path.parent)
        except OSError:
            return True
        return disk.f_bavail * disk.f_frsize > min(SPARE_BYTES, disk.f_blocks * disk.f_frsize // 10)

    def _turn(self, day: int) -> None:
        ended, self._day = self._day, day
        if self.stream is not None:
            self.stream.close()
            self.stream = None  # FileHandler opens it again with the next line
        with contextlib.suppress(FileNotFoundError):  # somebody took it away
            self._path.replace(f"{self._path}.{_date(ended)}")
        self._delete_old()

    def _delete_old(self) -> None:
        """By their date, however few there are; and the oldest where all together are too large."""
        oldest = _date(int(self._clock.looked_at() // _DAY) - KEPT_DAYS)
        left = KEPT_BYTES - MOST_BYTES_A_DAY
        dated = self._path.parent.glob(f"{self._path.name}.????-??-??")
        for path in sorted(dated, key=lambda path: path.name, reverse=True):
            with contextlib.suppress(FileNotFoundError):
                left -= path.stat().st_size
            if path.name.rpartition(".")[2] < oldest or left < 0:
                path.unlink(missing_ok=True)


def _written_at(path: Path) -> float:
    """When the last line was, so that it was surely as late as that; now where there is none."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _date(day: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(day * _DAY))
