"""API tokens: made by who is signed in, shown once, used by programs, revoked; what they may is in each's scope."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from auth_service.account import telling
from auth_service.account.current_password import CurrentPassword
from auth_service.people import user_rows
from auth_service.people.account_fields import checked_name
from auth_service.proof import Proof
from auth_service.signing_in import session_rows, token_rows
from auth_service.signing_in.networks import network
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.running.log import facts
from shared.words.internal import SessionInfo
from shared.words.internal_tokens import TokenMade, TokenRows, TokenWish
from shared.words.messages import UserRef, Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError
from shared.words.scopes import in_words

log = logging.getLogger(__name__)

LONGEST: Final = timedelta(days=366)
MOST: Final = 20
"""Live ones of one person: a list that nobody can look through tells nobody what to revoke."""


class Tokens:
    """Makes, lists, knows and revokes them. `wake` tells the gateways at once which one was revoked."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        proof: Proof,
        current: CurrentPassword,
        *,
        limits: session_rows.Limits,
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._proof = proof
        self._current = current
        self._limits = limits
        self._now = now
        self._wake = wake

    async def make(self, wanted: TokenWish, issuer: str) -> TokenMade:
        """A new one, whose secret stands in this answer alone: it outlives the session, so the password is asked for.

        Raises HomeError: sign-in-required, wrong-password, rate-limited, confirmation-failed, invalid-value (`field`
        names which), no-proof.
        """
        session = await self._sessions.verify(wanted.session)
        user = session.user
        name = _checked_name(wanted.name)
        if not timedelta(0) < wanted.expires_at - self._now() <= LONGEST:
            raise HomeError("invalid-value", "A token ends in the future, within a year.", field="expires_at")
        if len({(one.room, one.device) for one in wanted.scope}) != len(wanted.scope):
            raise HomeError("invalid-value", "Name each device of the scope once.", field="scope")
        who = telling.by(user, wanted.address, issuer)
        await self._current.check(wanted.current, session, who)
        await self._current.check_code(wanted.code, session, who)
        async with telling.change(self._store, self._proof, who) as (connection, say):
            # Locked, so that two requests at once cannot both be the last that there is room for.
            lives = await user_rows.lock(connection, user.id)
            if not lives or not await session_rows.find(
                connection, wanted.session, limits=self._limits, now=self._now(), lock=True
            ):
                raise HomeError("sign-in-required")
            if await token_rows.count(connection, user.id, self._now()) >= MOST:
                raise HomeError("invalid-value", f"You have {MOST} tokens. Revoke one first.", field="name")
            made = await token_rows.make(
                connection,
                user.id,
                name=name,
                scope=wanted.scope,
                expires_at=wanted.expires_at,
                now=self._now(),
            )
            await say(
                "account:token-made",
                f"user/{user.id}",
                user=user.name,
                token=name,
                may=in_words(wanted.scope),
                ends=f"{wanted.expires_at:%Y-%m-%d}",
            )
        return made

    async def of(self, user_id: str) -> TokenRows:
        """Somebody's live ones, newest first."""
        async with self._store.read() as connection:
            return TokenRows(tokens=await token_rows.rows_of(connection, user_id, self._now()))

    async def use(self, token: str, address: str = "") -> SessionInfo:
        """Who comes with it, from `address`, and what they may just now. Raises HomeError("sign-in-required")."""
        now = self._now()
        async with self._store.read() as connection:
            found = await token_rows.find(connection, token, now)
        if found is None:
            raise HomeError("sign-in-required")
        if found.stale or (address and network(address) != network(found.used_from)):
            await self._touch(found.info.id, address or found.used_from, now)
        return found.info

    async def revoke(self, token_id: str, *, owner: str, issuer: str, address: str) -> None:
        """Revoke one of the owner's, who asks for it. Raises HomeError("not-found").

        It is the safer thing: where its proof cannot be written, it is owed.
        """
        said: tuple[str, str, Who] | None = None
        detail: dict[str, str] = {}
        try:
            async with self._store.write() as connection:
                ended = await token_rows.end(connection, token_id, owner, self._now())
                if ended is None:
                    raise HomeError("not-found", "There is no such token; it may be revoked already.")
                user = UserRef(id=ended.user_id, name=ended.user_name)
                said = (
                    "account:token-revoked",
                    f"user/{owner}",
                    Who(issuer=issuer, user=user, address=address or None),
                )
                detail = {"user": user.name, "token": ended.name}
                await self._proof.write_or_owe(*said, severity=Severity.CRITICAL, detail=detail)
        except BaseException:
            if said is not None:  # it was said, and then it did not happen
                await self._proof.write_or_owe(*said, severity=Severity.CRITICAL, outcome=Outcome.FAILED, detail=detail)
            raise
        self._wake()

    async def sweep(self) -> None:
        """Forget those past their time."""
        async with self._store.write() as connection:
            await token_rows.drop_expired(connection, self._now())

    async def _touch(self, token_id: str, used_from: str, now: datetime) -> None:
        try:
            async with self._store.write() as connection:
                await token_rows.touch(connection, token_id, used_from, now)
        except HomeError as error:
            log.warning("Token's use not written down", extra=facts(token=token_id, reason=error))


def _checked_name(name: str) -> str:
    try:
        return checked_name(name)
    except HomeError as error:
        raise HomeError("invalid-value", "A token's name has 1 to 64 characters.", field="name") from error
