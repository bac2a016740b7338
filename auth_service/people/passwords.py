"""Owns bcrypt: hashes and checks passwords over a keyed pre-hash, in a small pool of slow-lane threads.

The pre-hash (base64 of HMAC-SHA-256 under a secret file) lifts bcrypt's limit of 72 bytes, and makes a stolen
database useless without that file (ASVS 11.4.2; ETSI EN 303 645 5.1-3). What is hashed is a password's canonical form
(password_form.py).
"""

import asyncio
import base64
import hmac
import logging
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt

from auth_service.people import password_form
from shared.running.log import facts
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

T = TypeVar("T")

_WAITING_MOST = 64
_NICENESS = 10
_STRANGERS = "strangers"
_LOUD = "loud"
_KNOWN = "known"
_STORED = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
"""A hash as bcrypt writes it, and what checking it costs: twice as much for each round more."""


class Passwords:
    """Hashes and checks. One or two threads, so that commands and other requests never wait behind logins.

    Browsers that an account knows have a thread of their own: strangers' tries, however many, hold nobody up there. So
    has who guesses: an owner at a new browser waits behind those alone who guessed as little.
    """

    def __init__(self, pepper: bytes, *, rounds: int) -> None:
        self._pepper = pepper
        self._short_key = hmac.digest(pepper, b"short secrets", "sha256")
        self._rounds = self._checked_rounds = rounds
        threads = {_STRANGERS: min(2, os.cpu_count() or 1), _LOUD: 1, _KNOWN: 1}
        self._pools = {
            lane: ThreadPoolExecutor(count, thread_name_prefix=f"bcrypt-{lane}", initializer=_step_back)
            for lane, count in threads.items()
        }
        self._waiting = dict.fromkeys(threads, 0)
        self._nobody = _of_nobody(rounds)

    def reckon_with(self, stored: Iterable[str]) -> None:
        """Let every check take as long as the dearest of these hashes does, and one that is made anew.

        A home that changed what its hashes cost has old ones; how long an answer takes must not tell whose they are,
        nor that there is none (ASVS 6.3.8).
        """
        self._checked_rounds = max([self._rounds, *(rounds for one in stored if (rounds := _rounds_of(one)))])

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash costs another effort than new ones do."""
        return _rounds_of(stored) != self._rounds

    async def hash(self, password: str) -> str:
        """The hash to store."""
        prehash = self._prehash(password_form.canonical(password))
        return (await self._run(lambda: bcrypt.hashpw(prehash, bcrypt.gensalt(self._rounds)))).decode()

    async def verify(self, password: str, stored: str | None, *, known: bool = False, loud: bool = False) -> bool:
        """Whether `password` is the one; None (there is no such user) costs the same and is False.

        `known`: for a browser that opened the account before, or a session; else `loud`: for a network that guesses.
        Raises HomeError("rate-limited") when too many checks are waiting already.
        """
        # All of them, whichever fits: how long it takes tells of what was typed, and of nothing that is stored.
        prehashes = [self._prehash(form) for form in password_form.forms(password)]
        if stored is not None and _rounds_of(stored) is None:
            log.error("A password cannot be read any more; `homesystem user reset` gives its owner another one")
            stored = None
        against = self._nobody if stored is None else stored
        fits = await self._run(
            lambda: [self._check(prehash, against) for prehash in prehashes], _lane(known=known, loud=loud)
        )
        return any(fits) and stored is not None

    def check_room(self, *, known: bool = False, loud: bool = False) -> None:
        """Raises HomeError("rate-limited") when too many checks are waiting already."""
        self._check_room(_lane(known=known, loud=loud))

    def _check_room(self, lane: str) -> None:
        if self._waiting[lane] >= _WAITING_MOST:
            raise HomeError("rate-limited", "Too many sign-ins are under way. Try again in a moment.", retry_after=10)

    def keyed(self, purpose: str, *parts: str) -> str:
        """A keyed hash of short secrets (a code, a browser's id), to store in their place (ASVS 6.5.2)."""
        return hmac.digest(self._short_key, "\0".join((purpose, *parts)).encode(), "sha256").hex()

    def close(self) -> None:
        """End the pool without waiting for what is in it."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _check(self, prehash: bytes, against: str) -> bool:
        fits = bcrypt.checkpw(prehash, against.encode())
        # Each round doubles the effort: one check of each cost in between makes up for exactly what a cheap one lacks.
        for rounds in range(_rounds_of(against) or 0, self._checked_rounds):
            bcrypt.hashpw(prehash, bcrypt.gensalt(rounds))
        return fits

    def _prehash(self, password: str) -> bytes:
        return base64.b64encode(hmac.digest(self._pepper, password.encode("utf-8", "surrogatepass"), "sha256"))

    async def _run(self, work: Callable[[], T], lane: str = _STRANGERS) -> T:
        self._check_room(lane)
        self._waiting[lane] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pools[lane], work)
        finally:
            self._waiting[lane] -= 1


def _of_nobody(rounds: int) -> str:
    """A hash that is checked where there is no such user, so that the answer takes as long (ASVS 6.3.8).

    No password fits it: 53 characters of bcrypt's alphabet that nobody computed.
    """
    return bcrypt.gensalt(rounds).decode() + secrets.token_hex(16)[:31]


def _rounds_of(stored: str) -> int | None:
    """What checking a hash costs; None where it is no hash."""
    found = _STORED.fullmatch(stored)
    return None if found is None else int(found[1])


def _lane(*, known: bool, loud: bool) -> str:
    if known:
        return _KNOWN
    return _LOUD if loud else _STRANGERS


def _step_back() -> None:
    """On Linux a thread has a niceness of its own: on a small hub the commands' processes go first.

    Where this is refused, as by our own unit, which makes the whole service step back, passwords are checked all the
    same: an initializer that raises would leave the pool broken, and nobody could sign in.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
    except (OSError, AttributeError) as error:
        log.info("Passwords are checked at the service's own priority", extra=facts(reason=error))
