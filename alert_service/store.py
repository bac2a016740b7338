"""The alert service's own in its database: its newest step, and what it says to a row that cannot be kept."""

from pathlib import Path

from shared.keeping import database
from shared.keeping.database import Plan, Store

PLAN = Plan(
    head="0009",
    migrations=Path(__file__).with_name("migrations"),
    settings="alerts.toml",
    conflict="invalid-value",
    log_refusals=True,  # nobody waits for an answer to an event: the log is where it is seen
)


async def open_store(url: str) -> Store:
    """Open the database behind `url` and migrate it. Raises ConfigError when that cannot be done."""
    return await database.open_store(url, PLAN)
