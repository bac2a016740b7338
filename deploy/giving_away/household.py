"""Who lives here and what there is, for whoever is about to erase it; read once, as the home's own user.

What cannot be read is named and keeps nobody from erasing: a home whose accounts are torn is given away as well.
"""

import asyncio
import sqlite3
import sys
from pathlib import Path

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from alert_service import config as alerts_config
from alert_service.store import open_store
from alert_service.tables import events
from auth_service import config as auth_config
from auth_service.hub import accounts
from deploy.archives.backup import run_as_owner
from deploy.enrolling import enrol
from deploy.folder import home as homes
from shared.keeping import database
from shared.running.config import ConfigError
from shared.words.internal import User
from shared.words.languages import Language
from shared.words.problem import HomeError

_UNREADABLE = (ConfigError, HomeError, SQLAlchemyError, sqlite3.Error, OSError)


class Household(msgspec.Struct, frozen=True, kw_only=True):
    """What a home holds. `row`, `head`: the record's newest row and its hash; `unread`: what could not be read, and
    why.
    """

    name: str
    language: Language
    demo: bool = False
    people: int = 0
    masters: tuple[User, ...] = ()
    rooms: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    row: int = 0
    head: str = ""
    unread: tuple[str, ...] = ()


def look(var: Path) -> Household:
    """What the home in `var` holds; for root it is looked at as its owner, whose files stay the owner's.

    Raises HomeError("internal") where that fails as a whole, ConfigError for a home.toml that nobody understands.
    """
    done = run_as_owner("deploy.giving_away.household", var)
    if done.returncode != 0:
        raise HomeError("internal", f"{var} could not be looked at: {done.stderr.decode(errors='replace').strip()}")
    return msgspec.json.decode(done.stdout, type=Household)


async def _look(home: homes.Home) -> Household:
    found = Household(name=home.settings.name, language=home.settings.language, demo=home.settings.demo)
    unread = []
    try:
        config = auth_config.read(home.config("auth"))
        if (path := database.missing(config.database)) is not None:  # and none is made where all is about to be erased
            raise HomeError("not-found", f"{path} is not there")
        async with accounts.opened(config) as book:
            rows = await book.list_users()
        masters = tuple(row.user for row in rows if row.is_acting_master)
        rooms, clients = [
            [one.name for one in await enrol.identities(home, role) if one.revoked_at is None]
            for role in ("room", "client")
        ]
        found = msgspec.structs.replace(
            found, people=len(rows), masters=masters, rooms=tuple(rooms), clients=tuple(clients)
        )
    except _UNREADABLE as error:
        unread.append(f"the accounts ({_why(error)})")
    try:
        row, head = await _newest(home)
        found = msgspec.structs.replace(found, row=row, head=head)
    except _UNREADABLE as error:
        unread.append(f"the record ({_why(error)})")
    return msgspec.structs.replace(found, unread=tuple(unread))


async def _newest(home: homes.Home) -> tuple[int, str]:
    url = alerts_config.read(home.config("alerts")).database
    if database.missing(url) is not None:
        return 0, ""  # a home that never ran has none
    store = await open_store(url)
    try:
        async with store.read() as connection:
            newest = select(events.c.row, events.c.hash).order_by(events.c.row.desc()).limit(1)
            found = (await connection.execute(newest)).one_or_none()
    finally:
        await store.close()
    return (found.row, found.hash) if found is not None else (0, "")


def _why(error: Exception) -> str:
    return error.detail.rstrip(".") if isinstance(error, HomeError) else str(error)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_look(homes.find(Path(sys.argv[1]))))))
