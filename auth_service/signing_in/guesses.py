"""How many wrong codes of a strong factor are heard, in memory: at sign-in, and wherever one is shown once more."""

from collections.abc import Hashable
from datetime import datetime

from auth_service.factors.strong import Fitting
from auth_service.signing_in.budgets import CODE_GUESSES, Windows


class Guesses:
    """Counts them by a key of the caller's, so that whoever guesses keeps nobody else out."""

    def __init__(self) -> None:
        self._windows = Windows()

    def heard(self, fitting: Fitting | None, key: Hashable, now: datetime) -> Fitting | None:
        """What fits, unless there were too many guesses; a recovery code is too long to be guessed, and is heard."""
        if fitting is None or fitting.code_hash or not self._windows.is_spent(key, CODE_GUESSES, now):
            return fitting
        return None

    def count(self, key: Hashable, now: datetime) -> None:
        """One more wrong one."""
        self._windows.count(key, CODE_GUESSES, now)
