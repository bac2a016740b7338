"""How somebody is called and spoken to: theirs to say, without a password, since neither opens anything."""

from collections.abc import Callable

from auth_service.account import telling
from auth_service.account.owners import Owners
from auth_service.people import changed_rights, distinct_names, user_rows
from auth_service.people.account_fields import checked_name
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.words.internal import User
from shared.words.internal_people import ProfileChange
from shared.words.problem import HomeError


class OwnProfile:
    """Changes it. `wake` tells the gateways at once, which know people by name."""

    def __init__(self, store: Store, proof: Proof, owners: Owners, *, wake: Callable[[], None]) -> None:
        self._store = store
        self._proof = proof
        self._owners = owners
        self._wake = wake

    async def change(self, asked: ProfileChange, issuer: str) -> User:
        """The user as they then stand. Raises HomeError: sign-in-required, invalid-value (`field` "name"), no-proof."""
        user = (await self._owners.signed_in(asked.token)).user
        try:
            name = checked_name(asked.name)
        except HomeError as error:
            raise HomeError(error.slug, error.detail, field="name") from error
        who = telling.by(user, asked.address, issuer)
        async with telling.change(self._store, self._proof, who) as (connection, say):
            await self._owners.hold(connection, asked.token, user.id)
            if name != user.name:
                await distinct_names.check(connection, name, of=user.id)
                await user_rows.set_name(connection, user.id, name)
                await say("account:changed", f"user/{user.id}", user=user.name, name=name)
            if asked.language != user.language:
                await user_rows.set_language(connection, user.id, asked.language)
                said = asked.language or "the home's"
                await say("account:changed", f"user/{user.id}", user=name, language=said)
            await changed_rights.note(connection, user.id)
            after = await user_rows.enabled(connection, user.id)
        self._wake()
        assert after is not None
        return after
