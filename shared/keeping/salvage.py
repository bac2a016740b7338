"""Reads what can still be read of an SQLite file that is torn, without touching it or what lies beside it.

Three views of one file, the newest first: with its write-ahead log, without it, and, for what lost its first page, with
that of a new file of the same shape. A row that several views show counts once.
"""

import contextlib
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

_IN_MEMORY_MOST = 64 * 1024 * 1024
"""A larger file is read where it lies: a board has little memory."""
_JOURNAL = b"\x01\x01"
"""Bytes 18 and 19 of a file that needs no write-ahead log (https://sqlite.org/fileformat2.html, 1.3)."""
_LOG_HEAD, _FRAME_HEAD = 32, 24
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What reading a torn file raises: the driver cannot always say in words what SQLite found."""
_PAGE_SIZES = {1 << power for power in range(9, 17)}
_LAST_ROWID = 2**63 - 1


def take_over(torn: Path, log: Path, into: sqlite3.Connection, tables: Sequence[str]) -> dict[str, int]:
    """Copy the readable rows of these tables into a file that has them already; how many each of them holds then.

    `log` is the torn file's write-ahead log, there or not. What breaks a rule of its table stays behind, and so do
    columns that only one of the two has. Raises sqlite3.Error where `into` cannot be written.
    """
    for old in _views(torn, log, into):
        with contextlib.closing(old):
            for table in tables:
                _copy(old, into, table)
    return {table: int(into.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in tables}


def _views(torn: Path, log: Path, model: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    with contextlib.suppress(OSError):
        if torn.stat().st_size > _IN_MEMORY_MOST:
            # Not at once empty, so that SQLite leaves the log beside it alone.
            for how in ("mode=ro", "immutable=1"):
                yield sqlite3.connect(f"{torn.absolute().as_uri()}?{how}", uri=True, isolation_level=None)
            return
        pages = torn.read_bytes()
        whole = _with_log(pages, log)
        head = model.serialize()
        views = [_in_memory(image) for image in (whole, pages, head[: _page_size(head)] + whole[_page_size(head) :])]
        if highest_number(views[1]) > highest_number(views[0]):
            views[:2] = views[1], views[0]
        yield from views


def _in_memory(image: bytes) -> sqlite3.Connection:
    """A file's bytes as a database; as long as they are, whatever its head says."""
    size = _page_size(image)
    pages = len(image) // size if size else 0
    made = sqlite3.connect(":memory:", isolation_level=None)
    with contextlib.suppress(sqlite3.Error):  # of nothing there is nothing to read
        made.deserialize(image[:18] + _JOURNAL + image[20:28] + pages.to_bytes(4, "big") + image[32:])
    return made


def highest_number(db: sqlite3.Connection) -> int:
    """The highest number that a row of its numbered tables ever had, which never falls; -1 where none can be read.

    A write-ahead log with less of them than its file alone is of another time: SQLite would take the file back to it.
    """
    try:
        return int(db.execute("SELECT max(seq) FROM sqlite_sequence").fetchone()[0] or 0)
    except (*UNREADABLE, ValueError, TypeError):
        return -1


def _with_log(pages: bytes, log: Path) -> bytes:
    """The file as its write-ahead log leaves it: every frame up to the last commit."""
    try:
        written = log.read_bytes()
        size, salts = struct.unpack_from(">I", written, 8)[0], written[16:24]
    except (OSError, struct.error):
        return pages
    if size not in _PAGE_SIZES:
        return pages
    made, committed = bytearray(pages), pages
    for at in range(_LOG_HEAD, len(written) - _FRAME_HEAD - size + 1, _FRAME_HEAD + size):
        number, pages_then = struct.unpack_from(">II", written, at)
        if written[at + 8 : at + 16] != salts or not 0 < number * size <= _IN_MEMORY_MOST:
            break
        made.extend(bytes(max(0, number * size - len(made))))
        made[(number - 1) * size : number * size] = written[at + _FRAME_HEAD : at + _FRAME_HEAD + size]
        if pages_then:
            committed = bytes(made)
    return committed


def _page_size(head: bytes) -> int:
    size = int.from_bytes(head[16:18], "big")
    return 65536 if size == 1 else size


def _copy(old: sqlite3.Connection, into: sqlite3.Connection, table: str) -> None:
    wanted = [row[1] for row in into.execute(f"PRAGMA table_info({table})")]
    try:
        there = {row[1]: row[5] for row in old.execute(f"PRAGMA table_info({table})")}
    except UNREADABLE:
        return
    columns = [name for name in wanted if name in there]
    if not columns:
        return
    insert = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    for row in _readable(old, table, columns, [name for name, key in there.items() if key]):
        with contextlib.suppress(sqlite3.IntegrityError):  # a number that is none
            into.execute(insert, row)


def _readable(old: sqlite3.Connection, table: str, columns: list[str], key: list[str]) -> Iterator[tuple[object, ...]]:
    """From both ends to where each is torn; and, where rows are numbered, on behind every torn page."""
    named = ", ".join(columns)
    for order in ("ASC", "DESC"):
        by = ", ".join(f"{name} {order}" for name in key) or f"rowid {order}"
        with contextlib.suppress(*UNREADABLE):
            yield from old.execute(f"SELECT {named} FROM {table} ORDER BY {by}")
    at: int | None = 0
    while at is not None:
        try:
            for row in old.execute(f"SELECT rowid, {named} FROM {table} WHERE rowid > ? ORDER BY rowid", (at,)):
                at = row[0]
                yield row[1:]
            return
        except UNREADABLE:
            at = _behind(old, table, at)


def _behind(old: sqlite3.Connection, table: str, torn: int) -> int | None:
    """The least number above a torn page's from which rows can be read again; None where there is none."""

    def is_readable(after: int) -> bool:
        try:
            old.execute(f"SELECT * FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT 1", (after,)).fetchone()
        except UNREADABLE:
            return False
        return True

    low, step = torn, 1
    while not is_readable(low + step):
        low, step = low + step, 2 * step
        if low + step > _LAST_ROWID:
            return None
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_readable(middle) else (middle, high)
    return high
