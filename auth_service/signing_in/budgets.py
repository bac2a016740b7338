"""How often an account is written to, and how many wrong passwords it hears, pure: counted in memory, and in silence.

A stranger's tries use up nothing of the browsers that opened the account before, and nothing that only the right
password uses: they cannot keep its owner off. Accounts that do not exist are counted alike (ASVS 6.3.1, 6.3.8).
"""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta

import msgspec

from shared.words.internal import Budget, Regulation

SLIPS = 3
"""So many wrong passwords from one network are an owner's who mistypes."""
_LOUD = (Budget(SLIPS, 3600),)
"""From a network, for whatever accounts: past that its passwords are checked behind one another alone, but heard."""
CODE_GUESSES = (Budget(10, 600), Budget(100, 86400))
"""Wrong codes for an account with a strong factor: past that none is right (NIST SP 800-63B 3.2.2)."""
_KEYS_MOST = 20_000


class Asker(msgspec.Struct, frozen=True):
    """Who tries: for which account (any text that is alike for it), from which known browser, from which network."""

    account: str
    known: str
    network: str


class Windows:
    """Counts by key. A window opens with its first count and is over after its seconds."""

    def __init__(self, most: int = _KEYS_MOST) -> None:
        self._most = most
        self._counts: OrderedDict[tuple[Hashable, int], tuple[datetime, int]] = OrderedDict()

    def is_spent(self, key: Hashable, budgets: tuple[Budget, ...], now: datetime) -> bool:
        """Whether one of the budgets has nothing left."""
        return any(self._count(key, budget, now) >= budget.most for budget in budgets)

    def count(self, key: Hashable, budgets: tuple[Budget, ...], now: datetime) -> None:
        """One more."""
        for budget in budgets:
            before = self._count(key, budget, now)
            opened = self._counts[key, budget.seconds][0] if before else now
            self._counts[key, budget.seconds] = (opened, before + 1)
            self._counts.move_to_end((key, budget.seconds))
        while len(self._counts) > self._most:
            self._counts.popitem(last=False)

    def _count(self, key: Hashable, budget: Budget, now: datetime) -> int:
        opened, count = self._counts.get((key, budget.seconds), (now, 0))
        # A clock that was set back opens a new window: nobody waits for the old one to come again.
        return count if timedelta() <= now - opened < timedelta(seconds=budget.seconds) else 0


class SignInBudgets:
    """What is left of each account's budgets, for browsers that it does not know together, for each known one apart."""

    def __init__(self) -> None:
        self._wrong = Windows()
        self._wrong_from = Windows()
        self._loud = Windows()
        self._letters = Windows()

    def hears(self, asker: Asker, regulation: Regulation, now: datetime) -> bool:
        """Whether a right password counts as one.

        Past the budget of unknown browsers those are heard that come from where there were no more wrong ones than
        slips: the owner at a new place still signs in while a stranger guesses elsewhere.
        """
        if not self._wrong.is_spent((asker.account, asker.known), regulation.wrong_passwords, now):
            return True
        slips = tuple(Budget(SLIPS, budget.seconds) for budget in regulation.wrong_passwords)
        return not asker.known and not self._wrong_from.is_spent((asker.account, asker.network), slips, now)

    def heard_wrong(self, asker: Asker, regulation: Regulation, now: datetime) -> None:
        """A wrong password."""
        self._wrong.count((asker.account, asker.known), regulation.wrong_passwords, now)
        if not asker.known:
            self._wrong_from.count((asker.account, asker.network), regulation.wrong_passwords, now)
            self._loud.count(asker.network, _LOUD, now)

    def is_loud(self, network: str, now: datetime) -> bool:
        """Whether more wrong passwords than slips came from there, for whatever accounts."""
        return self._loud.is_spent(network, _LOUD, now)

    def may_write(self, asker: Asker, regulation: Regulation, now: datetime) -> bool:
        """Whether the account gets one more letter; it is counted."""
        key = (asker.account, asker.known)
        if self._letters.is_spent(key, regulation.letters, now):
            return False
        self._letters.count(key, regulation.letters, now)
        return True
