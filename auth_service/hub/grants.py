"""Guests' grants, each change with its proof: for the `homesystem` command, no service need run.

A service that runs tells the gateways within a second.
"""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from auth_service.account.guests import Guests
from auth_service.config import AuthConfig
from auth_service.hub.accounts import ISSUER
from auth_service.people import user_rows
from auth_service.proof import Proof
from auth_service.store import must_be_there, open_store
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import Grant, UserRow
from shared.words.messages import Who
from shared.words.problem import HomeError


@contextlib.asynccontextmanager
async def opened(config: AuthConfig) -> "AsyncIterator[Book]":
    """What guests may do in the home that `config` describes. Raises ConfigError as accounts.opened does."""
    must_be_there(config.database)
    store = await open_store(config.database)
    try:
        with contextlib.closing(Spool(config.spool, source=config.broker.identity)) as spool:
            yield Book(store, Guests(store, Proof(spool, now=lambda: datetime.now(UTC))))
    finally:
        await store.close()


class Book:
    """Who may do what, by their e-mail addresses, in the name of whoever may run `homesystem`."""

    def __init__(self, store: Store, guests: Guests) -> None:
        self._store = store
        self._guests = guests

    async def of(self, email: str) -> UserRow:
        """A user with what stands. Raises HomeError("not-found")."""
        async with self._store.read() as connection:
            account = await user_rows.find(connection, email)
            row = await user_rows.row_of(connection, account.user.id) if account is not None else None
        if row is None:
            raise HomeError("not-found", f"There is no user {email}; `homesystem user list` names them all.")
        return row

    async def grant(self, email: str, wanted: tuple[Grant, ...], *, instead: bool = False) -> UserRow:
        """These besides what stands, or `instead` of it; the user as they then stand.

        Raises HomeError: not-found, invalid-value, changed-meanwhile, no-proof.
        """
        before = await self.of(email)
        grants = wanted if instead else (*before.grants, *wanted)
        return await self._guests.replace(before.user.id, grants, Who(issuer=ISSUER), instead_of=before.grants)
