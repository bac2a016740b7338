"""Confirmation codes at work: made, mailed, tried and compared, for signing in and for whatever else asks for one.

The binding goes into both hashes that the database keeps, so a code of another purpose, account or place is not found.
An attempt has a short name, by which the hub's own command makes another code for it (hub_codes.py).
"""

import asyncio
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.confirming import code_rows, codes
from auth_service.confirming.codes import Binding
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from shared.keeping.database import Store
from shared.mail import Letter, MailError
from shared.running import backoff
from shared.running.log import facts
from shared.words import attempts
from shared.words.internal import User

log = logging.getLogger(__name__)

Send = Callable[[Letter], Awaitable[None]]


class Issued(msgspec.Struct, frozen=True):
    """A code that was made just now: its row, what its letter says, and whose it is."""

    id: str
    code: str
    binding: Binding
    expires_at: datetime


class Tried(msgspec.Struct, frozen=True):
    """What became of a password and a code that were typed together; the claim is of a code that fits."""

    password: bool
    claim: code_rows.Claim | None


class Confirmations:
    """`send` hands a letter to the mail server, or raises MailError."""

    def __init__(self, store: Store, passwords: Passwords, *, send: Send, now: Callable[[], datetime]) -> None:
        self._store = store
        self._passwords = passwords
        self._send = send
        self._now = now

    async def keep_attempt(self, binding: Binding, *, address: str) -> None:
        """A code can be had for it at the hub alone; one that was mailed for it before stays good."""
        async with self._store.read() as connection:
            if await code_rows.waits(
                connection, user_id=binding.user_id, browser_hash=self._place_hash(binding), now=self._now()
            ):
                return
        await self.issue(binding, address=address)

    async def issue(self, binding: Binding, *, address: str) -> Issued:
        """A new code; the former one of the same binding is void."""
        async with self._store.write() as connection:
            return await self.put(connection, binding, address=address, attempt=attempts.name_of(binding.place))

    async def put(self, connection: AsyncConnection, binding: Binding, *, address: str, attempt: str = "") -> Issued:
        """The same in a transaction of the caller's; without a name for its attempt none is made for it at the hub."""
        code, code_id, now = codes.new(), secrets.token_hex(8), self._now()
        await code_rows.put(
            connection,
            code_id=code_id,
            user_id=binding.user_id,
            browser_hash=self._place_hash(binding),
            code_hash=code_hash(self._passwords, binding.user_id, self._place_hash(binding), code),
            now=now,
            attempt=attempt,
            address=address,
        )
        return Issued(code_id, code, binding, now + codes.LIFETIME)

    async def void(self, connection: AsyncConnection, binding: Binding) -> None:
        """Its code, if there is one, is none any more."""
        await code_rows.drop(connection, user_id=binding.user_id, browser_hash=self._place_hash(binding))

    async def deliver(self, issued: Issued, letter: Letter) -> None:
        """Try until the letter is taken, or the code is of no more use."""
        attempt, user_id = 0, issued.binding.user_id
        while self._now() < issued.expires_at:
            async with self._store.read() as connection:
                if not await code_rows.stands(connection, issued.id):
                    return
            try:
                await self._send(letter)
            except MailError as error:
                log.warning("Code letter not taken", extra=facts(user=user_id, attempt=attempt, reason=error))
                if error.permanent:
                    return
            else:
                log.info("Code letter sent", extra=facts(user=user_id))
                return
            await asyncio.sleep(backoff.delay(attempt, first=1.0, most=30.0))
            attempt += 1
        log.error("Code letter never went out", extra=facts(user=user_id))

    async def tried(self, binding: Binding, typed: str, password: Awaitable[bool]) -> Tried:
        """Spend one try of the code, whatever is typed; it is not used up by that. `password` is whether that is right.

        The try is counted while bcrypt runs: no answer shows whether there was a code to count it on.
        """
        right, claim = await asyncio.gather(password, self._claim(binding))
        return Tried(right, claim if self._fits(claim, binding, typed) else None)

    async def judged(self, binding: Binding, typed: str) -> code_rows.Claim | None:
        """Spend one try of the code, whatever is typed; its claim if it fits, which uses it up no more than that."""
        claim = await self._claim(binding)
        return claim if self._fits(claim, binding, typed) else None

    async def _claim(self, binding: Binding) -> code_rows.Claim | None:
        """None when there is no code, or none that may still be tried."""
        async with self._store.write() as connection:
            return await code_rows.claim(
                connection, user_id=binding.user_id, browser_hash=self._place_hash(binding), now=self._now()
            )

    def _fits(self, claim: code_rows.Claim | None, binding: Binding, typed: str) -> bool:
        code = codes.read(typed)
        if claim is None or code is None:
            return False
        expected = code_hash(self._passwords, binding.user_id, self._place_hash(binding), code)
        return hmac.compare_digest(claim.code_hash, expected)

    def _place_hash(self, binding: Binding) -> str:
        return self._passwords.keyed("place", binding.purpose, binding.place)


async def use(connection: AsyncConnection, account: user_rows.Account, claim: code_rows.Claim | None) -> User | None:
    """In the transaction of what was confirmed: use the code up, if one did it, and say who it is that confirmed.

    None where the account is another while bcrypt ran, or another request was quicker with the code.
    """
    # Locked: a password that is changed at this moment ends this session as well, or keeps it from being begun.
    current = await user_rows.find(connection, account.user.email, lock=True)
    if current is None or current.disabled or current.password_hash != account.password_hash:
        return None
    if claim is not None and not await code_rows.spend(connection, claim.id):
        return None
    return current.user


def code_hash(passwords: Passwords, user_id: str, place_hash: str, code: str) -> str:
    """What is kept of a code: good for one account, and for the purpose and the place that `place_hash` is of."""
    return passwords.keyed("code", user_id, place_hash, code)
