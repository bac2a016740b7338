"""Every single effect that an agent has on the world, counted, so that a test can kill it before any of them.

An effect is one call on a pin, one SQL statement on the ledger's file, one message or one confirmation handed to the
broker. Nothing else outlives a process, so a kill between two effects leaves the world as a kill just before the
second does: before each effect, and after the last, are all the points at which kill -9 can make a difference.
"""

import contextlib
import functools
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from device_agents.pins.pins import Board, Changed, Pins


class Effects:
    """Counts from `arm` on. `kill` is called before the chosen effect; where it returns, or raises, all goes on so."""

    def __init__(self, kill: Callable[[], None], note: Callable[[str], None] = lambda _what: None) -> None:
        self._kill = kill
        self._note = note
        self._chosen: int | None = None
        self.count: int | None = None
        self.done: list[str] = []

    def arm(self, chosen: int) -> None:
        """Count from now on, and kill before the effect number `chosen`; the first is 1."""
        self._chosen = chosen
        self.count = 0
        self.done = []

    def disarm(self) -> None:
        """Count no more."""
        self._chosen = self.count = None

    def before(self, what: str) -> None:
        """An effect is about to happen. A process that was killed has no more of them."""
        if self.count is None or self._chosen is None:
            return
        self.count = min(self.count + 1, self._chosen)
        if self.count == self._chosen:
            self._note(f"killed before {self.count}: {what}")
            self._kill()
        self._note(f"{self.count}: {what}")
        self.done.append(what)


class CountedPins:
    """See device_agents.pins.pins.Pins."""

    def __init__(self, pins: Pins, effects: Effects) -> None:
        self._pins = pins
        self._effects = effects

    def driven(self, pin: int) -> int | None:
        self._effects.before(f"driven {pin}")
        return self._pins.driven(pin)

    def claim(self, pin: int, level: int) -> None:
        self._effects.before(f"claim {pin} {level}")
        self._pins.claim(pin, level)

    def write(self, pin: int, level: int) -> None:
        self._effects.before(f"write {pin} {level}")
        self._pins.write(pin, level)

    def read(self, pin: int) -> int:
        self._effects.before(f"read {pin}")
        return self._pins.read(pin)

    def watch(self, changed: Changed, board: Board) -> None:
        self._effects.before("watch")
        self._pins.watch(changed, board)

    def close(self) -> None:
        self._pins.close()


@contextlib.contextmanager
def counted_statements(effects: Effects) -> Iterator[None]:
    """Databases that are opened meanwhile count their statements, for as long as they live."""

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            effects.before(" ".join(sql.split()[:3]))
            return super().execute(sql, parameters)

        def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
            effects.before(" ".join(sql.split()[:3]))
            return super().executemany(sql, parameters)

        def executescript(self, sql: str, /) -> sqlite3.Cursor:
            effects.before("script")
            return super().executescript(sql)

    with mock.patch.object(sqlite3, "connect", functools.partial(sqlite3.connect, factory=Connection)):
        yield
