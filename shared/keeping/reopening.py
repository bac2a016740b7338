"""Opens a service's database however long it takes: one that is torn, or on a disk that takes nothing, ends no service.

Who waits stays up for its service manager and says in its status what to do; a file that was repaired or brought back
is taken up without a restart.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

from shared.keeping import database
from shared.keeping.database import Store
from shared.keeping.torn import TornError, fault_in_use, identity
from shared.running import backoff, systemd
from shared.running.lifecycle import leave_if_stopped, stay_alive
from shared.running.log import facts

log = logging.getLogger(__name__)

_LONGEST_WAIT = 10.0
_LOOK_SECONDS = 5.0
_READ_WHOLE_BYTES = 64 * 1024 * 1024
"""Of a larger file a torn page is found when it is read: a small board would be busy with it for many seconds."""

Open = Callable[[], Awaitable[Store]]
Mend = Callable[[], Awaitable[bool]]


async def patiently(open_once: Open, *, mend: Mend | None = None) -> Store:
    """The database, once it can be opened. `mend` may put another file in its place; False where it could not.

    Raises ConfigError for what only another configuration helps.
    """
    try:
        return await _opened(open_once, mend)
    except TornError as error:
        told = str(error)
    log.error("The database cannot be used", extra=facts(reason=told))
    systemd.notify("READY=1")
    alive = asyncio.create_task(stay_alive(lambda: told), name="waiting for the database")
    try:
        attempt = 0
        while True:
            leave_if_stopped()
            await asyncio.sleep(backoff.delay(attempt, first=0.5, most=_LONGEST_WAIT))
            attempt += 1
            try:
                return await _opened(open_once, mend)
            except TornError as error:
                told = str(error)
    finally:
        alive.cancel()


async def watch(store: Store, url: str, *, torn: Callable[[], Awaitable[None]]) -> None:
    """Call `torn` once the file of `url` turns out to be torn; raises TornError when another one lies in its place."""
    path = database.file_of(url)
    if path is None:
        return
    file, told = identity(path), False
    # A page that nobody reads for weeks is torn today: whoever starts looks at all of them.
    if await asyncio.to_thread(_is_spoilt, path):
        store.note_torn()
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await (asyncio.sleep(2 * _LOOK_SECONDS) if told else store.until_torn())
        if identity(path) != file:
            raise TornError(f"database: there is another file in the place of {path}")
        if store.torn and not told:
            told = True
            await torn()


def _is_spoilt(path: Path) -> bool:
    """Whether SQLite finds fault with a file that is small enough to be read whole at each start."""
    try:
        return path.stat().st_size <= _READ_WHOLE_BYTES and fault_in_use(path) is not None
    except (sqlite3.Error, OSError):  # says nothing about the file; a statement will meet it, too
        return False


async def _opened(open_once: Open, mend: Mend | None) -> Store:
    try:
        return await open_once()
    except TornError:
        if mend is None or not await mend():
            raise
    return await open_once()
