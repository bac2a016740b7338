"""Passkeys of one's own, made with the password; they are listed and removed among the other factors."""

import logging
import secrets
from collections.abc import Callable
from datetime import datetime

from auth_service.account import telling
from auth_service.account.own_factors import check_room
from auth_service.account.owners import Owners
from auth_service.factors import passkey_rows, passkeys, strong
from auth_service.people import changed_rights
from auth_service.people.account_fields import checked_name
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.running.log import facts
from shared.words.internal_factors import RecoveryCodes
from shared.words.internal_passkeys import PasskeyBegin, PasskeyBegun, PasskeyFinish
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_UNNAMED = "Passkey"


class OwnPasskeys:
    """Makes them. `issuer` in its methods is the gateway that asks."""

    def __init__(
        self, store: Store, passwords: Passwords, proof: Proof, owners: Owners, *, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._proof = proof
        self._owners = owners
        self._now = now

    async def begin(self, asked: PasskeyBegin, issuer: str) -> PasskeyBegun:
        """What the browser is to make; it counts once `finish` had its answer.

        Raises HomeError: sign-in-required, wrong-password, rate-limited, confirmation-failed, invalid-value (the name,
        or too many).
        """
        user = (await self._owners.confirmed(asked, issuer)).user
        name = checked_name(asked.name or _UNNAMED)
        factor_id, challenge = secrets.token_hex(8), secrets.token_urlsafe(32)
        async with self._store.write() as connection:
            await self._owners.hold(connection, asked.token, user.id)
            await check_room(connection, user.id)
            known = await passkey_rows.credentials_of(connection, user.id)
            await passkey_rows.begin(connection, user.id, factor_id, name=name, challenge=challenge, now=self._now())
        return PasskeyBegun(id=factor_id, options=passkeys.wish_to_make(asked.site, user, challenge, known))

    async def finish(self, asked: PasskeyFinish, issuer: str) -> RecoveryCodes:
        """From now on it signs in, alone. Recovery codes come with the first factor of all.

        Raises HomeError: sign-in-required, confirmation-failed (it does not fit, or was begun too long ago), no-proof.
        """
        user = (await self._owners.signed_in(asked.token)).user
        who = telling.by(user, asked.address, issuer)
        async with self._store.read() as connection:
            challenge = await passkey_rows.challenge_of(connection, user.id, asked.id, self._now())
        if challenge is None:
            raise HomeError("confirmation-failed", "This passkey was begun too long ago, or is made already.")
        try:
            made = passkeys.made(asked.site, challenge, asked.credential)
        except passkeys.UnfitError as error:
            log.warning("A new passkey does not fit", extra=facts(at=f"user/{user.id}", reason=error))
            raise HomeError("confirmation-failed", "What the browser made does not fit. Begin again.") from error
        async with telling.change(self._store, self._proof, who) as (connection, say):
            await self._owners.hold(connection, asked.token, user.id)
            if not await passkey_rows.finish(connection, asked.id, challenge, made):
                raise HomeError("confirmation-failed", "This passkey is made already.")
            codes = await strong.recovery_with_first(connection, self._passwords, user.id)
            await changed_rights.note(connection, user.id)  # they may owe none any more
            await say("account:factor-added", f"user/{user.id}", user=user.name, factor="passkey")
        return RecoveryCodes(codes=codes)
