"""How somebody is called and spoken to: theirs to say, without a password, since neither opens anything."""

from collections.abc import Callable
from datetime import datetime

from auth_service.account import telling
from auth_service.people import changed_rights, user_rows
from auth_service.people.account_fields import checked_name
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.words.internal import User
from shared.words.internal_people import ProfileChange
from shared.words.problem import HomeError


class OwnProfile:
    """Changes it. `wake` tells the gateways at once, which know people by name."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        proof: Proof,
        *,
        limits: session_rows.Limits,
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._proof = proof
        self._limits = limits
        self._now = now
        self._wake = wake

    async def change(self, asked: ProfileChange, issuer: str) -> User:
        """The user as they then stand. Raises HomeError: sign-in-required, invalid-value (`field` "name"), no-proof."""
        user = (await self._sessions.verify(asked.token)).user
        try:
            name = checked_name(asked.name)
        except HomeError as error:
            raise HomeError(error.slug, error.detail, field="name") from error
        who = telling.by(user, asked.address, issuer)
        async with telling.change(self._store, self._proof, who) as (connection, say):
            lives = await user_rows.lock(connection, user.id)
            if not lives or not await session_rows.find(
                connection, asked.token, limits=self._limits, now=self._now(), lock=True
            ):
                raise HomeError("sign-in-required")
            if name != user.name:
                await user_rows.set_name(connection, user.id, name)
                await say("account:changed", f"user/{user.id}", user=name, was=user.name)
            if asked.language != user.language:
                await user_rows.set_language(connection, user.id, asked.language)
                said = asked.language or "the home's"
                await say("account:changed", f"user/{user.id}", user=name, language=said)
            await changed_rights.note(connection, user.id)
            after = await user_rows.enabled(connection, user.id)
        self._wake()
        assert after is not None
        return after
