"""The recorder's own in its database: its newest step, and what becomes of a file that is torn."""

import asyncio
import logging
import time
from pathlib import Path

from alert_service.readings.tables import metadata
from shared.keeping import database
from shared.keeping.database import Plan, Store
from shared.keeping.torn import mend
from shared.running.log import facts

log = logging.getLogger(__name__)

PLAN = Plan(
    head="0001",
    migrations=Path(__file__).with_name("migrations"),
    settings="readings.toml",
    conflict="invalid-value",
    log_refusals=True,
)


async def open_store(url: str) -> Store:
    """Open the database behind `url` and migrate it. Raises ConfigError when that cannot be done."""
    return await database.open_store(url, PLAN)


async def put_aside(url: str) -> bool:
    """Whether a torn file of `url` went aside, and one with all that could be read lies in its place.

    Raises sqlite3.Error or OSError: the disk takes no file now.
    """
    path = database.file_of(url)
    if path is None:
        return False
    shape = await database.blank(open_store)
    tables = [table.name for table in metadata.sorted_tables]
    torn = await asyncio.to_thread(
        lambda: mend(path, schema=shape, tables=tables, finish=lambda _db, _torn: None, now=time.time())
    )
    if torn is not None:
        log.error("The readings were torn", extra=facts(aside=torn.aside, reason=torn.reason, **torn.rows))
    return torn is not None
