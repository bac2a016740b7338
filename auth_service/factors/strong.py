"""Whether what was typed is a code of somebody's app, or one of their recovery codes; and using it up, once."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.factors import factor_rows, recovery, totp
from auth_service.people.passwords import Passwords
from shared.keeping.database import Store

RECOVERY = "recovery code"
"""As what one stands in the record."""


class Fitting(msgspec.Struct, frozen=True):
    """A code that fits and waits to be used up: a step of a factor, or a recovery code's hash."""

    factor_id: str = ""
    step: int = 0
    code_hash: str = ""

    @property
    def name(self) -> str:
        """As what it stands in the record."""
        return RECOVERY if self.code_hash else "authenticator app"


class Judged(msgspec.Struct, frozen=True):
    """Whether the account has a strong factor, and what of the typed fits it."""

    strong: bool
    fitting: Fitting | None


class StrongFactors:
    """Looks; nothing is used up by that."""

    def __init__(self, store: Store, passwords: Passwords, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._passwords = passwords
        self._now = now

    async def has(self, user_id: str) -> bool:
        """Whether there is one, so that a mailed code is of no use."""
        async with self._store.read() as connection:
            return bool(await factor_rows.of(connection, user_id))

    async def judge(self, user_id: str, typed: str) -> Judged:
        """The same statements for every account, existing or not."""
        code = recovery.read(typed)
        code_hash = recovery_hash(self._passwords, user_id, code or "")
        async with self._store.read() as connection:
            held = await factor_rows.of(connection, user_id)
            known = await factor_rows.knows_recovery(connection, user_id, code_hash)
        for factor in held:
            if factor.kind != totp.KIND:
                continue  # a passkey is shown alone, in a way of its own
            secret = totp.secret(self._passwords, user_id, factor.id)
            if (step := totp.step_of(secret, typed, self._now().timestamp())) is not None:
                return Judged(strong=True, fitting=Fitting(factor.id, step))
        if held and known and code is not None:
            return Judged(strong=True, fitting=Fitting(code_hash=code_hash))
        return Judged(strong=bool(held), fitting=None)


async def spend(connection: AsyncConnection, user_id: str, fitting: Fitting, now: datetime) -> bool:
    """In the transaction of what was confirmed: use the code up; False where another request was quicker."""
    if fitting.code_hash:
        return await factor_rows.spend_recovery(connection, user_id, fitting.code_hash)
    return await factor_rows.spend_step(connection, fitting.factor_id, fitting.step, now)


async def renew_recovery(connection: AsyncConnection, passwords: Passwords, user_id: str) -> tuple[str, ...]:
    """Ten recovery codes, to be shown once; the former are void."""
    codes = recovery.new()
    await factor_rows.put_recovery(connection, user_id, [recovery_hash(passwords, user_id, code) for code in codes])
    return codes


async def recovery_with_first(connection: AsyncConnection, passwords: Passwords, user_id: str) -> tuple[str, ...]:
    """Called as soon as a factor counts, with the user held: recovery codes come with the first one, else none."""
    is_first = len(await factor_rows.of(connection, user_id)) == 1
    return await renew_recovery(connection, passwords, user_id) if is_first else ()


def recovery_hash(passwords: Passwords, user_id: str, code: str) -> str:
    """What is kept of a recovery code."""
    return passwords.keyed("recovery", user_id, code)
