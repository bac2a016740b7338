"""One's own strong second factors: set up with the password and a first code, taken away with the password.

Mail never stands in for one that is lost (ASVS 6.4.3, 6.4.4): a recovery code does, or the hub's own command.
"""

import secrets
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import telling
from auth_service.account.owners import Owners
from auth_service.factors import demand_rows, factor_rows, strong, totp
from auth_service.people import changed_rights
from auth_service.people.account_fields import checked_name
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.words.internal_factors import (
    Factor,
    FactorBegin,
    FactorBegun,
    FactorConfirm,
    FactorRemove,
    Factors,
    RecoveryAsked,
    RecoveryCodes,
)
from shared.words.problem import HomeError

MOST = 8
_UNNAMED = "Authenticator app"


class OwnFactors:
    """Lists and changes them. `issuer` in its methods is the gateway that asks."""

    def __init__(
        self, store: Store, passwords: Passwords, proof: Proof, owners: Owners, *, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._proof = proof
        self._owners = owners
        self._now = now

    async def of(self, token: str) -> Factors:
        """What whose session this is has. Raises HomeError("sign-in-required")."""
        user = (await self._owners.signed_in(token)).user
        async with self._store.read() as connection:
            held = await factor_rows.of(connection, user.id)
            left = await factor_rows.recovery_left(connection, user.id)
        rows = tuple(
            Factor(id=one.id, kind=one.kind, name=one.name, created_at=one.created_at, used_at=one.used_at)
            for one in held
        )
        return Factors(factors=rows, recovery_left=left)

    async def begin(self, asked: FactorBegin, issuer: str) -> FactorBegun:
        """A secret for an app; it counts once `confirm` had a code of it.

        Raises HomeError: sign-in-required, wrong-password, rate-limited, confirmation-failed, invalid-value (the name,
        or too many).
        """
        user = (await self._owners.confirmed(asked, issuer)).user
        name, factor_id = checked_name(asked.name or _UNNAMED), secrets.token_hex(8)
        async with self._store.write() as connection:
            await self._owners.hold(connection, asked.token, user.id)
            await check_room(connection, user.id)
            await factor_rows.begin(connection, user.id, factor_id, name, self._now())
        secret = totp.secret(self._passwords, user.id, factor_id)
        return FactorBegun(id=factor_id, secret=secret, uri=totp.address(secret, user.email))

    async def confirm(self, asked: FactorConfirm, issuer: str) -> RecoveryCodes:
        """From now on a sign-in needs it. Recovery codes come with the first one.

        Raises HomeError: sign-in-required, confirmation-failed (no such code, or begun too long ago), no-proof.
        """
        user = (await self._owners.signed_in(asked.token)).user
        secret = totp.secret(self._passwords, user.id, asked.id)
        step = totp.step_of(secret, asked.code, self._now().timestamp())
        async with telling.change(self._store, self._proof, telling.by(user, asked.address, issuer)) as (
            connection,
            say,
        ):
            await self._owners.hold(connection, asked.token, user.id)  # of two at once, one is the first
            if step is None or not await factor_rows.confirm(connection, user.id, asked.id, step, self._now()):
                raise HomeError("confirmation-failed", "This is not the code that the app shows now. Try the next one.")
            codes = await strong.recovery_with_first(connection, self._passwords, user.id)
            await changed_rights.note(connection, user.id)  # they may owe none any more
            await say("account:factor-added", f"user/{user.id}", user=user.name, factor="authenticator app")
        return RecoveryCodes(codes=codes)

    async def remove(self, asked: FactorRemove, issuer: str) -> None:
        """Take one away; with the last one go the recovery codes, and codes come by mail again.

        Raises HomeError: sign-in-required, wrong-password, rate-limited, confirmation-failed, not-found, no-proof.
        """
        user = (await self._owners.confirmed(asked, issuer)).user
        async with telling.change(self._store, self._proof, telling.by(user, asked.address, issuer)) as (
            connection,
            say,
        ):
            await self._owners.hold(connection, asked.token, user.id)
            kind = await factor_rows.remove(connection, user.id, asked.id)
            if kind is None:
                raise HomeError("not-found", "There is no such factor; it may have been removed already.")
            if await demand_rows.read(connection) and not await factor_rows.of(connection, user.id):
                raise HomeError("factor-required", "It is your last one, and your home asks everyone for one.")
            factor = "authenticator app" if kind == totp.KIND else kind
            await say("account:factor-removed", f"user/{user.id}", user=user.name, factor=factor)

    async def renew_recovery(self, asked: RecoveryAsked, issuer: str) -> RecoveryCodes:
        """Ten others; the former are void.

        Raises HomeError: sign-in-required, wrong-password, rate-limited, confirmation-failed, invalid-value (without a
        factor), no-proof.
        """
        user = (await self._owners.confirmed(asked, issuer)).user
        async with telling.change(self._store, self._proof, telling.by(user, asked.address, issuer)) as (
            connection,
            say,
        ):
            await self._owners.hold(connection, asked.token, user.id)
            if not await factor_rows.of(connection, user.id):
                raise HomeError("invalid-value", "Recovery codes stand in for an authenticator app. Add one first.")
            codes = await strong.renew_recovery(connection, self._passwords, user.id)
            await say("account:factor-added", f"user/{user.id}", user=user.name, factor="recovery codes")
        return RecoveryCodes(codes=codes)


async def check_room(connection: AsyncConnection, user_id: str) -> None:
    """Whether somebody may have one more. Raises invalid-value."""
    if len(await factor_rows.of(connection, user_id)) >= MOST:
        raise HomeError("invalid-value", f"{MOST} are the most. Remove one first.")
