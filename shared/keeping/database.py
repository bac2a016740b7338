"""Owns SQLAlchemy's engine: opens a service's database, brings it to its newest step, and lends transactions.

Everything that speaks SQL takes a connection from `Store.read` or `Store.write`. The `store` module of each service
says what is its own: the `Plan`.
"""

import asyncio
import contextlib
import logging
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, event, inspect, make_url, text
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.keeping import disks, driver, sharing
from shared.keeping.torn import NoRoomError, TornError, is_torn
from shared.running.config import ConfigError
from shared.running.log import facts
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_WAL_ATTEMPTS = 100
_TURN_SECONDS = 5.0  # as SQLite's own busy_timeout, for another process's lock
_POOLED = {"statement_cache_size": 0}
"""Behind PgBouncer in transaction mode the connection that prepared a statement is not the one that meets it next."""
_MIGRATION_LOCK = 4_803_316
"""Two processes that start at once migrate one after the other (PostgreSQL; SQLite's write lock does it alone)."""


class Plan(NamedTuple):
    """What is a service's own in its database."""

    head: str
    """The newest step in `migrations`; told here so that a start at head need not import alembic (0.3 s)."""
    migrations: Path
    """alembic's folder, with `env.py` and `versions`."""
    settings: str
    """The file whose `database` an owner looks at when it cannot be opened."""
    conflict: str
    """The slug for a row that breaks a rule of its table (unique, not null, a foreign key)."""
    log_refusals: bool
    """Whether a refused row goes to the log: as a fault of ours, or not, as an answer to whoever sent it."""


class Store:
    """An open database. SQLite and PostgreSQL behave alike behind it."""

    def __init__(self, engine: AsyncEngine, plan: Plan) -> None:
        self._engine = engine
        self._writer = engine.execution_options(home_writes=True)
        self._plan = plan
        self._torn = asyncio.Event()
        # SQLite's lock knows no turns: who writes without a pause keeps the others out until they give up.
        self._turns = asyncio.Lock() if engine.dialect.name == "sqlite" else None

    @property
    def torn(self) -> bool:
        """Whether it was found that the file is torn."""
        return self._torn.is_set()

    def note_torn(self) -> None:
        """Something else than a statement found that it is."""
        self._torn.set()

    async def until_torn(self) -> None:
        """Wait until it is found that the file is torn."""
        await self._torn.wait()

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads."""
        with self._translated():
            async with self._engine.connect() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes; on the disk at the end of the block, rolled back when it raises."""
        with self._translated():
            async with self._turn(), self._writer.begin() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._turns is None:
            yield
            return
        async with asyncio.timeout(_TURN_SECONDS):  # a TimeoutError is an OSError
            await self._turns.acquire()
        try:
            yield
        finally:
            self._turns.release()

    async def ping(self) -> None:
        """Raises HomeError("internal") when the database does not answer."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLAlchemy's errors in our words: what no database would take, a conflict; all else may pass by waiting."""
        plan = self._plan
        try:
            yield
        except (DataError, IntegrityError, OverflowError) as error:
            slug = plan.conflict if isinstance(error, IntegrityError) else "invalid-value"
            detail = "The database does not take one of the values." if slug == "invalid-value" else None
            if plan.log_refusals:
                log.exception("Database refused a value")
            raise HomeError(slug, detail) from error
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            if disks.is_of_a_full_disk(_cause(error)):
                log.error("Database cannot be written", extra=facts(reason=_plain(error)))
                raise HomeError("internal", f"The database cannot be written: {disks.FULL}.") from error
            log.exception("Database failed")
            if is_torn(_cause(error)):
                self._torn.set()
            raise HomeError("internal", "The database did not answer; the log says more.") from error


def missing(url: str) -> Path | None:
    """The file of an SQLite database that is not there; opening it would make an empty one."""
    path = file_of(url)
    return None if path is None or path.exists() else path


def file_of(url: str) -> Path | None:
    """The file of an SQLite database; None for a server's, and for what names no file: `open_store` says so."""
    try:
        parsed = make_url(url)
    except SQLAlchemyError:
        return None
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


async def open_store(url: str, plan: Plan) -> Store:
    """Open the database behind `url` and migrate it. Raises ConfigError when that cannot be done, TornError where that
    is the file's fault.
    """
    try:
        parsed = make_url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        if sqlite:
            await _prepare_sqlite(parsed.database, plan)
        # Three connections are enough: every transaction is a few milliseconds. Values (addresses, hashes) stay out of
        # the errors that are logged.
        engine = create_async_engine(
            parsed,
            hide_parameters=True,
            pool_size=3,
            max_overflow=2,
            pool_pre_ping=parsed.host is not None,
            connect_args={"async_creator_fn": driver.connect} if sqlite else _POOLED,
        )
        if sqlite:
            _tame_sqlite(engine)
        try:
            await _migrate(engine, plan)
        except BaseException:
            await engine.dispose()
            raise
    except (SQLAlchemyError, sqlite3.Error, ModuleNotFoundError, OSError) as error:
        if (path := file_of(url)) is not None and path.exists():
            told = f"database: {path} cannot be used ({_plain(error)})"
            if disks.lacks_room(path, _cause(error)):
                raise NoRoomError(f"{told}; {disks.FULL}") from error
            step = "run: homesystem repair, or bring back a backup: homesystem restore (docs/doctor.md)"
            raise TornError(f"{told}; {step}; or name another in {plan.settings}") from error
        raise ConfigError(
            f"database: cannot be opened ({_plain(error)}); check `database` in {plan.settings}"
        ) from error
    return Store(engine, plan)


async def _prepare_sqlite(database: str | None, plan: Plan) -> None:
    """A private file (it holds hashes, and who did what) in WAL mode: readers and the one writer do not wait."""
    if not database or database == ":memory:":
        example = Path(plan.settings).with_suffix(".sqlite3")
        raise ConfigError(f"database: SQLite needs the path of a file: sqlite+aiosqlite:////path/to/{example}")
    path = Path(database)
    path.parent.mkdir(parents=True, exist_ok=True)
    sharing.make_writable(path)
    for attempt in range(_WAL_ATTEMPTS):
        try:
            with contextlib.closing(sqlite3.connect(path)) as direct:
                direct.execute("PRAGMA journal_mode = WAL")
                return
        except sqlite3.OperationalError:
            # The switch is the one thing that SQLite does not wait for while another process opens the same file.
            if attempt == _WAL_ATTEMPTS - 1:
                raise
            await asyncio.sleep(0.05)


def _tame_sqlite(engine: AsyncEngine) -> None:
    """Every commit synced, foreign keys kept, and transactions that take the write lock when they begin.

    What is deleted is overwritten: an erased person may not be read from the file's unused parts.
    """

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # the driver's own implicit BEGIN comes too late
        # A letter that a card has spoilt must not hide the rest; what was changed is found by whoever checks.
        dbapi.driver_connection.text_factory = lambda raw: raw.decode(errors="replace")
        cursor = dbapi.cursor()
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "busy_timeout = 5000", "secure_delete = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "invalidate")
    def on_invalidate(dbapi: Any, _record: Any, _error: BaseException | None) -> None:
        # Whoever waited was cancelled in the middle of a statement: SQLite keeps a closed connection, and its lock on
        # the whole file, for as long as anything still refers to one of its statements. Without a transaction it holds
        # nothing. Shielded: a second cancellation does not keep the driver's thread from doing it.
        with contextlib.suppress(ValueError):  # it is closed already
            dbapi.run_async(lambda driver: asyncio.shield(driver.rollback()))

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(begun: Connection) -> None:
        begun.exec_driver_sql("BEGIN IMMEDIATE" if begun.get_execution_options().get("home_writes") else "BEGIN")


async def _migrate(engine: AsyncEngine, plan: Plan) -> None:
    async with engine.connect() as connection:
        current = await connection.run_sync(_revision)
    if current == plan.head:
        return
    async with engine.execution_options(home_writes=True).begin() as connection:
        before = await connection.run_sync(_upgrade, plan)
    if before != plan.head:
        log.info("Database was migrated", extra=facts(before=before or "nothing", after=plan.head))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection, plan: Plan) -> str | None:
    """Take every step that is missing; the one it stood at, which is head where another process was faster."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    before = _revision(connection)
    if before == plan.head:
        return before
    # alembic tells of its plugins while it is imported, and of every step: for a service's log one line is enough.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command
    from alembic.config import Config as AlembicConfig
    from alembic.util.exc import CommandError

    alembic = AlembicConfig()
    alembic.set_main_option("script_location", str(plan.migrations).replace("%", "%%"))
    alembic.set_main_option("path_separator", "os")
    alembic.attributes["connection"] = connection
    try:
        command.upgrade(alembic, "head")
    except CommandError as error:
        raise ConfigError(f"database: was made by another version of Home System ({error}); update it first") from error
    return before


async def blank(open_once: Callable[[str], Awaitable[Store]]) -> bytes:
    """A new SQLite file as a service's migrations make it, with its pages in their order."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.sqlite3"
        await (await open_once(f"sqlite+aiosqlite:///{path}")).close()
        with contextlib.closing(sqlite3.connect(path)) as direct:
            direct.execute("PRAGMA journal_mode = DELETE")  # an image in memory knows no log
            return bytes(direct.serialize())


def _plain(error: BaseException) -> str:
    return str(_cause(error)).partition("\n")[0]


def _cause(error: BaseException) -> BaseException:
    """The driver's own error."""
    found = getattr(error, "orig", None)
    return found if isinstance(found, BaseException) else error
