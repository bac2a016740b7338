"""Owns SQLAlchemy's engine: opens the database, brings it to the newest step, and lends transactions.

Everything that speaks SQL takes a connection from `Store.read` or `Store.write`.
"""

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, inspect, make_url, text
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.config import ConfigError
from shared.problem import HomeError

log = logging.getLogger(__name__)

HEAD = "0001"
"""The newest step in migrations/versions; kept here so that a start at head need not import alembic (0.3 s)."""

_WAL_ATTEMPTS = 100
_MIGRATION_LOCK = 4_803_316
"""Two processes that start at once migrate one after the other (PostgreSQL; SQLite's write lock does it alone)."""


class Store:
    """An open database. SQLite and PostgreSQL behave alike behind it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(home_writes=True)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads."""
        with _translated():
            async with self._engine.connect() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes; committed at the end of the block, rolled back when it raises."""
        with _translated():
            async with self._writer.begin() as connection:
                yield connection

    async def ping(self) -> None:
        """Raises HomeError("internal") when the database does not answer."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


async def open_store(url: str) -> Store:
    """Open the database behind `url` and migrate it. Raises ConfigError when that cannot be done."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            await _prepare_sqlite(parsed.database)
        # Three connections are enough: every transaction is a few milliseconds.
        engine = create_async_engine(parsed, pool_size=3, max_overflow=2, pool_pre_ping=parsed.host is not None)
        if parsed.get_backend_name() == "sqlite":
            _tame_sqlite(engine)
        async with contextlib.AsyncExitStack() as on_failure:
            on_failure.push_async_callback(engine.dispose)
            await _migrate(engine)
            on_failure.pop_all()
    except (SQLAlchemyError, sqlite3.Error, ModuleNotFoundError, OSError) as error:
        raise ConfigError(f"database: cannot be opened ({_plain(error)}); check `database` in auth.toml") from error
    return Store(engine)


async def _migrate(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        current = await connection.run_sync(_revision)
    if current != HEAD:
        async with engine.execution_options(home_writes=True).begin() as connection:
            await connection.run_sync(_upgrade)


async def _prepare_sqlite(database: str | None) -> None:
    """A private file (it holds password hashes) in WAL mode, so that readers and the one writer do not wait."""
    if not database or database == ":memory:":
        raise ConfigError("database: SQLite needs the path of a file: sqlite+aiosqlite:////path/to/auth.sqlite3")
    path = Path(database)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    for attempt in range(_WAL_ATTEMPTS):
        try:
            with contextlib.closing(sqlite3.connect(path)) as direct:
                direct.execute("PRAGMA journal_mode = WAL")
                return
        except sqlite3.OperationalError as error:
            # The switch is the one thing that SQLite does not wait for while another process opens the same file.
            if attempt == _WAL_ATTEMPTS - 1:
                raise ConfigError(f"database: cannot be opened ({error}); check {path}") from error
            await asyncio.sleep(0.05)


def _tame_sqlite(engine: AsyncEngine) -> None:
    """Foreign keys, and transactions that take the write lock when they begin, not half-way."""

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # the driver's own implicit BEGIN comes too late
        cursor = dbapi.cursor()
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "busy_timeout = 5000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("home_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config as AlembicConfig
    from alembic.util.exc import CommandError

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    alembic = AlembicConfig()
    alembic.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    alembic.set_main_option("path_separator", "os")
    alembic.attributes["connection"] = connection
    try:
        command.upgrade(alembic, "head")
    except CommandError as error:
        raise ConfigError(f"database: was made by another version of Home System ({error}); update it first") from error


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """SQLAlchemy's errors in our words; the log has the whole story, the caller only the slug."""
    try:
        yield
    except IntegrityError as error:
        raise HomeError("already-exists") from error
    except (DataError, OverflowError) as error:
        raise HomeError("invalid-value", "The database does not take one of the values.") from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        log.exception("Database failed")
        raise HomeError("internal", "The database did not answer; the log says more.") from error


def _plain(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).partition("\n")[0]
