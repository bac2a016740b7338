"""One kind of error for all that can go wrong with a ledger's file."""

import sqlite3
from collections.abc import Callable

from shared.words.problem import HomeError


class Translated:
    """What SQLite and the spool raise becomes HomeError("ledger-failed"), and `noticed` is told of it.

    No generator: an ordinary command comes by here twice.
    """

    def __init__(self, noticed: Callable[[BaseException], None]) -> None:
        self._noticed = noticed

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, sqlite3.Error | HomeError):
            self._noticed(error)
            detail = error.detail if isinstance(error, HomeError) else str(error)
            raise HomeError("ledger-failed", detail) from error
