"""Checks the record for `homesystem audit verify`, whether the alert service runs or not, and tells what was found."""

from pathlib import Path

from alert_service import config as alerts_config
from alert_service.chain.chain import Verdict
from alert_service.record import evidence, mending, walk
from alert_service.record.evidence import Evidence
from alert_service.store import open_store
from deploy.folder import home as homes
from deploy.record import progress
from deploy.record.progress import console
from shared.keeping import database
from shared.keeping.database import Store
from shared.words.problem import HomeError

_SHOWN = 20


async def verify(home: homes.Home, letters: Path | None, from_row: int) -> bool:
    """Check every row from `from_row` on, and the letters of a folder; False where something does not fit.

    Raises HomeError: not-found (no record, no such row, no such folder).
    """
    url = alerts_config.read(home.config("alerts")).database
    _must_exist(url)
    gathered = evidence.gather(letters) if letters is not None else None
    store = await open_store(url)
    try:
        sound = _tell(await _walk(store, from_row), from_row)
        async with store.read() as connection:
            lost = await mending.lost(connection)
        for first, last in lost:
            rows = f"Row {first}" if first == last else f"Rows {first} to {last}"
            console.print(f"{rows} went with a torn file, of which the record tells.")
        if gathered is not None:
            sound = _tell_letters(await evidence.weigh(store, gathered)) and sound
    finally:
        await store.close()
    return sound


async def _walk(store: Store, from_row: int) -> Verdict:
    async with store.read() as connection:
        extent = await walk.extent(connection)
    verdict: Verdict | None = None
    first = max(from_row, extent.first)
    total = max(0, extent.last - first + 1)
    with progress.shown("checking", "checked", "rows") as tell:
        async for verdict in walk.walk(store, from_row=from_row):
            tell(verdict.row - first + 1, total)
    assert verdict is not None, "a walk has at least one verdict"
    return verdict


def _tell(verdict: Verdict, from_row: int) -> bool:
    if verdict.broken is not None:
        console.print(f"BROKEN: row {verdict.broken.row} {verdict.broken.reason}")
        if verdict.row >= from_row:
            console.print(f"The rows before it are whole, up to row {verdict.row}, hash {verdict.head}")
        return False
    if verdict.row == 0:
        console.print("The record is empty.")
        return True
    since = f" from row {from_row} on" if from_row > 1 else ""
    console.print(f"The record is whole{since}: row {verdict.row}, hash {verdict.head}")
    return True


def _tell_letters(weighed: Evidence) -> bool:
    for name, reason in weighed.unreadable:
        console.print(f"Letter {name} cannot be read and was left out: {reason}")
    for one in weighed.conflicts[:_SHOWN]:
        console.print(f"BROKEN: row {one.row} {one.reason}; letter {one.letter} knows it")
    if len(weighed.conflicts) > _SHOWN:
        console.print(f"… and {len(weighed.conflicts) - _SHOWN} more that letters know otherwise")
    if not weighed.proofs:
        console.print(
            f"In {weighed.letters} letters no row is named, so NOTHING WAS COMPARED: name the folder with the daily "
            "letters of this home (*.eml)."
        )
        return False
    told = f"{weighed.letters} letters name {weighed.proofs} rows"
    removed = f", {weighed.removed} of them of days that were removed" if weighed.removed else ""
    if weighed.conflicts:
        console.print(f"{told}{removed}: {len(weighed.conflicts)} of them are not as they were told.")
        return False
    console.print(f"{told}{removed}: all as they were told.")
    return True


def _must_exist(url: str) -> None:
    """Nothing may be made where something should be checked."""
    if (path := database.missing(url)) is not None:
        raise HomeError(
            "not-found",
            f"{path} is not there: the alert service never ran here, or its database was taken away",
        )
