"""Holds the letters of a mailbox against the table: a row that is gone, or has another hash than was once told.

The chain alone cannot tell that its end was cut off, or that the whole of it was made anew; a letter can.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain.removal import Day
from alert_service.record import proofs, walk
from alert_service.record.proofs import Proof
from alert_service.tables import events
from shared.keeping.database import Store
from shared.words.problem import HomeError

_BATCH = 500
_MOST_LETTER_BYTES = 4_000_000
"""Ours are far smaller; what is larger is somebody's attachment."""


class Conflict(NamedTuple):
    """A letter that the table contradicts."""

    row: int
    letter: str
    reason: str


class Evidence(NamedTuple):
    """What the letters said: `unreadable` names files and why, `removed` counts the proofs of days that are removed."""

    letters: int
    proofs: int
    removed: int
    conflicts: list[Conflict]
    unreadable: list[tuple[str, str]]


class Gathered(NamedTuple):
    """What a folder's letters tell, before it was held against anything."""

    letters: int
    proofs: list[tuple[Proof, str]]
    unreadable: list[tuple[str, str]]


def gather(folder: Path) -> Gathered:
    """Read every `.eml` below `folder`. Raises HomeError where there is no such folder, or one that is closed to us."""
    made = Gathered(0, [], [])
    for path in sorted(_letters(folder)):
        name = str(path.relative_to(folder))
        try:
            if path.stat().st_size > _MOST_LETTER_BYTES:
                raise proofs.UnreadableError("it is far larger than any letter of ours")
            made.proofs.extend((proof, name) for proof in proofs.read(path.read_bytes()))
            made = made._replace(letters=made.letters + 1)
        except (OSError, proofs.UnreadableError) as error:
            made.unreadable.append((name, str(error)))
    return made


def _letters(folder: Path) -> list[Path]:
    """`Path.rglob` would pass over a folder that is closed to us, whose letters would then say nothing."""
    try:
        mode = folder.stat().st_mode
    except PermissionError as error:
        _refuse(error)
    except OSError:
        mode = 0
    if not stat.S_ISDIR(mode):
        raise HomeError("not-found", f"{folder}: there is no such folder; name the one that holds the letters (*.eml)")
    found = os.walk(folder, onerror=_refuse)
    return [
        Path(place, name) for place, folders, files in found for name in (*folders, *files) if name.endswith(".eml")
    ]


def _refuse(error: OSError) -> NoReturn:
    raise HomeError(
        "invalid-value",
        f"{error.filename}: {error.strerror}. Letters are read as the home's own user, who does not come into your own "
        "folders: bring a copy to where everybody may read, as docs/record.md has it, and delete that afterwards.",
    ) from error


async def weigh(store: Store, gathered: Gathered) -> Evidence:
    """Hold every proof against the table; conflicts come in the order of their rows."""
    told = sorted(set(gathered.proofs), key=lambda one: (one[0].row, one[1]))
    conflicts: list[Conflict] = []
    removed = 0
    for few in _batches(told):
        async with store.read() as connection:
            gone = await walk.removed(connection)
            last = (await walk.extent(connection)).last
            stands = await _hashes(connection, {proof.row for proof, _ in few})
        for proof, letter in few:
            if proof.row not in stands and any(day.first_row <= proof.row < day.last_row for day in gone):
                removed += 1
                continue
            reason = _reason(proof, stands, gone, last)
            if reason is not None:
                conflicts.append(Conflict(proof.row, letter, reason))
    return Evidence(gathered.letters, len(told), removed, conflicts, gathered.unreadable)


def _reason(proof: Proof, stands: dict[int, tuple[str, str]], gone: list[Day], last: int) -> str | None:
    hashes = {day.last_row: day.after for day in gone}
    found, source = stands.get(proof.row, (hashes.get(proof.row), None))
    if found is None:
        if proof.row > last:
            return f"is gone: the table was truncated or rolled back after row {last}"
        return "is gone: it was taken out of the table"
    if found != proof.hash:
        return "has another hash: it was rewritten, or the table was rolled back and filled again"
    if None not in (source, proof.source) and source != proof.source:
        return "has another source"
    return None


async def _hashes(connection: AsyncConnection, rows: set[int]) -> dict[int, tuple[str, str]]:
    found = await connection.execute(select(events.c.row, events.c.hash, events.c.source).where(events.c.row.in_(rows)))
    return {one.row: (one.hash, one.source) for one in found.all()}


def _batches(told: list[tuple[Proof, str]]) -> Iterator[list[tuple[Proof, str]]]:
    for first in range(0, len(told), _BATCH):
        yield told[first : first + _BATCH]
