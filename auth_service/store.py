"""The auth service's own in its database: its newest step, and what it says to a name that is taken."""

from pathlib import Path

from shared.keeping import database
from shared.keeping.database import Plan, Store
from shared.keeping.torn import TornError, is_cut
from shared.running.config import ConfigError

PLAN = Plan(
    head="0033",
    migrations=Path(__file__).with_name("migrations"),
    settings="auth.toml",
    conflict="already-exists",
    log_refusals=False,  # the answer goes to who asked; the log would get the addresses and hashes of the row
)


async def open_store(url: str) -> Store:
    """Open the database behind `url` and migrate it. Raises ConfigError when that cannot be done."""
    return await database.open_store(url, PLAN)


def must_be_there(url: str) -> None:
    """Raises ConfigError where the accounts are gone, TornError where their file is cut to nothing.

    `homesystem init` makes them: begun anew by anybody else they would know nobody, no room and no lockdown, and nobody
    would hear of it.
    """
    if (gone := database.missing(url)) is not None:
        raise ConfigError(f"{gone}: the accounts are not there; bring them back: homesystem restore (docs/setup.md)")
    path = database.file_of(url)
    if path is not None and is_cut(path):
        raise TornError(f"{path}: the accounts are cut to nothing; bring them back: homesystem restore (docs/setup.md)")
