"""SQLite's driver with one change of thread for a whole statement; aiosqlite makes four: cursor, statement, rows, end.

On a small hub such a change costs more than what the statement does. The thread of each connection stays aiosqlite's.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import aiosqlite

_NO_ROWS: Sequence[Any] = ()


class _Cursor:
    """One statement, and all its rows once it is through; nothing of it is left in SQLite then."""

    arraysize = 1

    def __init__(self, connection: "_Connection") -> None:
        self._connection = connection
        self._rows = _NO_ROWS
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "_Cursor":
        return self

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        await self._connection.whole(self._run, sqlite3.Connection.execute, statement, values)

    async def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        await self._connection.whole(self._run, sqlite3.Connection.executemany, statement, values)

    async def fetchall(self) -> Sequence[Any]:
        rows, self._rows = self._rows, _NO_ROWS
        return rows

    async def close(self) -> None:
        self._rows = _NO_ROWS

    def _run(self, direct: sqlite3.Connection, execute: Callable[..., sqlite3.Cursor], *told: Any) -> None:
        """In the driver's thread."""
        made = execute(direct, *told)
        try:
            self.description, self.rowcount, self.lastrowid = made.description, made.rowcount, made.lastrowid
            self._rows = made.fetchall() if made.description is not None else _NO_ROWS
        finally:
            made.close()


class _Connection(aiosqlite.Connection):
    def cursor(self) -> _Cursor:  # type: ignore[override]  # it needs no thread, so nobody waits for it
        return _Cursor(self)

    async def whole(self, run: Callable[..., None], *told: Any) -> None:
        """Run this with the connection itself, in its thread."""
        await self._execute(lambda: run(self._conn, *told))  # type: ignore[no-untyped-call]


def connect(database: str, **options: Any) -> aiosqlite.Connection:
    """What `aiosqlite.connect` gives, to be awaited like it. A process that ends waits for none of its threads."""
    made = _Connection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
    made._thread.daemon = True
    return made
