"""For how many seconds the agents of a room have lived, over all their processes: the clock by which ids are kept.

A wall clock may jump and a board may boot all day long; neither may free an id too early.
"""

import sqlite3
from collections.abc import Callable

from device_agents.ledger import tables as ledger_tables


class Lifetime:
    """Goes on from what earlier processes noted in the ledger. It may fall short, and never runs ahead."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._opened = monotonic()
        self._before = 0.0

    def seconds(self) -> float:
        """So long, at the least."""
        return self._before + self._monotonic() - self._opened

    def take_up(self, db: sqlite3.Connection) -> None:
        """Go on from this file's last note or its last command; its rows without a time begin now."""
        noted = db.execute("SELECT body FROM note WHERE name = ?", (ledger_tables.LIVED,)).fetchone()
        newest = db.execute("SELECT max(lived) FROM command").fetchone()[0]
        found = max((ledger_tables.lived(noted[0]) if noted is not None else None) or 0.0, newest or 0.0)
        self._before, self._opened = max(self.seconds(), found), self._monotonic()
        db.execute("UPDATE command SET lived = ? WHERE lived IS NULL", (self.seconds(),))
