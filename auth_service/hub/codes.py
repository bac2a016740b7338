"""Codes that are had at the hub: `homesystem code ATTEMPT` makes one for an attempt whose letter does not come.

Whoever may run it sits at the hub. The code is good for what the mailed one is good for: one account whose password was
right, one browser, ten minutes. It needs no service to run, and has its proof before it counts.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.config import AuthConfig
from auth_service.confirming import code_rows, codes
from auth_service.confirming.confirmations import code_hash
from auth_service.factors import factor_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.store import must_be_there, open_store
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.running.config import read_secret
from shared.words import attempts
from shared.words.internal import User
from shared.words.messages import Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

_ISSUER = "admin"
_NAME_MOST = 64
_STRONG = (
    "This attempt is {user}'s, who has a passkey or an authenticator app: no code that is mailed or made here lets "
    "them in. A recovery code does. If those are lost as well, and you know that it is them: "
    "homesystem user drop-factors {email}"
)


class Made(msgspec.Struct, frozen=True):
    """A code, whose it is, from which address it was asked for, and until when it can be typed."""

    code: str
    user: User
    address: str
    expires_at: datetime


class HubCodes:
    """Makes them, over the auth service's own database."""

    def __init__(self, store: Store, passwords: Passwords, proof: Proof, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._passwords = passwords
        self._proof = proof
        self._now = now

    async def make(self, attempt: str) -> Made:
        """A fresh code for the attempt of that name; what was mailed for it before is void.

        Raises HomeError: not-found (over, e-mail or password were wrong, or there is a strong factor), already-exists
        (two have that name), no-proof.
        """
        name, now, code = attempts.read(attempt[:_NAME_MOST]), self._now(), codes.new()
        said: code_rows.Attempt | None = None
        try:
            async with self._store.write() as connection:
                one = await _only(connection, name, now)
                if await factor_rows.of(connection, one.user.id):
                    raise HomeError("not-found", _STRONG.format(user=one.user.name, email=one.user.email))
                new_id = secrets.token_hex(8)
                hashed = code_hash(self._passwords, one.user.id, one.browser_hash, code)
                if not await code_rows.replace(connection, one.id, new_id=new_id, code_hash=hashed, now=now):
                    raise HomeError("not-found", f"The attempt {name} has just come to its end.")
                await self._tell(one, name, Outcome.EXECUTED)
                said = one
        except BaseException:
            if said is not None:  # it was said, and then it did not happen
                await self._tell(said, name, Outcome.FAILED)
            raise
        return Made(code, one.user, one.address, now + codes.LIFETIME)

    async def _tell(self, one: code_rows.Attempt, name: str, outcome: Outcome) -> None:
        await self._proof.write(
            "account:code-made",
            f"user/{one.user.id}",
            Who(issuer=_ISSUER),
            severity=Severity.SECURITY,
            outcome=outcome,
            detail={"user": one.user.name, "attempt": name, "asked_from": one.address},
        )


async def _only(connection: AsyncConnection, name: str, now: datetime) -> code_rows.Attempt:
    """The attempt of that name. Raises HomeError: not-found, already-exists."""
    found = await code_rows.attempts(connection, name, now) if len(name) == attempts.LENGTH else ()
    if not found:
        raise HomeError(
            "not-found",
            f"No attempt {name} waits for a code: its ten minutes are over, or e-mail or password were not right. "
            "Start again on the page, then try the name that it shows.",
        )
    if len(found) > 1:
        raise HomeError("already-exists", f"Two attempts are called {name}: start again in another window.")
    return found[0]


@contextlib.asynccontextmanager
async def opened(config: AuthConfig, *, now: Callable[[], datetime]) -> AsyncIterator[HubCodes]:
    """Those of the home that `config` describes. Raises ConfigError when database, spool or pepper cannot be used."""
    must_be_there(config.database)
    passwords = Passwords(read_secret(config.pepper_file), rounds=config.passwords.bcrypt_rounds)
    store = await open_store(config.database)
    try:
        with contextlib.closing(Spool(config.spool)) as spool:
            yield HubCodes(store, passwords, Proof(spool, now=now), now=now)
    finally:
        await store.close()
        passwords.close()
