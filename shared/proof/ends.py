"""How services ended that nobody told to end: what their units noted (deploy/ended.sh), and the event about it."""

import logging
import os
import re
from pathlib import Path
from typing import NamedTuple

from shared.running.log import facts
from shared.words.messages import AuditEvent, Who, utc
from shared.words.names import Outcome, Severity

log = logging.getLogger(__name__)

REPLACED = "service:replaced"
NOTE = "ended"
"""The file in a unit's RuntimeDirectory=; a line each end: milliseconds since 1970, systemd's result, exit status."""
AT_MOST_EVERY = 600.0
"""A service that ends again and again is one event in so many seconds."""
_TOLD = "told"
"""Beside the note: its time is when the last was told."""
_HOW = {
    "watchdog": "it gave no sign of life",
    "oom-kill": "the machine ran out of memory",
    "timeout": "it did not start or stop in time",
    "start-limit-hit": "it ended again and again",
}


_LINE = re.compile(r"(?m)^(\d{1,15}) ([a-z-]+) (\w*)\n")


class End(NamedTuple):
    """One end: when (seconds since 1970), and how, in words."""

    at: float
    how: str


def read(path: Path) -> list[End]:
    """What is noted in a file, the oldest first; nothing where there is none. A line that is not whole is left out."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return []
    return sorted(End(int(at) / 1000, _words(result, status)) for at, result, status in _LINE.findall(text))


def due(folder: Path, now: float) -> list[End]:
    """What is noted in a unit's folder and not told yet; nothing so soon after the last time that was `told`.

    What cannot be read is no reason for a service not to start: the log says so.
    """
    try:
        last = (folder / _TOLD).stat().st_mtime
    except OSError:
        last = None
    if last is not None and 0 <= now - last < AT_MOST_EVERY:
        return []
    try:
        return read(folder / NOTE)
    except (OSError, UnicodeDecodeError) as error:
        log.error("What ended cannot be read", extra=facts(reason=error))
        return []


def told(folder: Path, now: float) -> None:
    """What was due has been told."""
    try:
        (folder / NOTE).unlink()
        (folder / _TOLD).touch()
        os.utime(folder / _TOLD, (now, now))
    except OSError as error:
        log.error("What ended may be told again", extra=facts(reason=error))


def event(where: str, issuer: str, ends: list[End]) -> AuditEvent:
    """Told once for all of `ends`, of which there is at least one; the same ends make the same event."""
    last = ends[-1]
    return AuditEvent(
        id=f"replaced:{where}:{round(last.at * 1000)}",
        at=utc(last.at),
        what=REPLACED,
        where=where,
        who=Who(issuer=issuer),
        outcome=Outcome.EXECUTED,
        severity=Severity.CRITICAL,
        detail={"because": last.how} | ({"times": str(len(ends))} if len(ends) > 1 else {}),
    )


def _words(result: str, status: str) -> str:
    if result in {"signal", "core-dump"}:
        return f"it was ended by the signal {status}"
    return _HOW.get(result, f"it failed with the exit code {status}")
