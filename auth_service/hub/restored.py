"""A home that comes back from a backup: whatever ended since that day does not come back with it.

For `homesystem restore`, over the database of the archive before it lies in its place, so that no service ever runs
with who was signed in then, with a program's token of then, or with a room that was revoked since.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from datetime import datetime

from auth_service.config import AuthConfig
from auth_service.confirming import code_rows
from auth_service.home import identity_rows, lockdown_rows, window_rows
from auth_service.home.identity_rows import IdentityRow
from auth_service.home.lockdown import WHERE, Lockdown
from auth_service.hub import opening
from auth_service.hub.accounts import ISSUER, Accounts
from auth_service.people import invitation_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.store import must_be_there, open_store
from shared.keeping.database import Store
from shared.words.messages import Who
from shared.words.names import Severity

_WHO = Who(issuer=ISSUER)


class Restored:
    """The accounts of that day."""

    def __init__(self, store: Store, proof: Proof, passwords: Passwords, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._proof = proof
        self._now = now
        self._accounts = Accounts(store, proof, passwords, now=now)
        self._lockdown = Lockdown(store, proof, now=now)

    async def settle(self, *, made_at: str, revoked: Collection[str], locked_down: bool) -> None:
        """End every session, API token, code, invitation and window, take the names `revoked` back, and say anew
        whether the home is locked down, which it is where it is now. `made_at`: of the backup, for whoever reads of it.
        A name that was given out since, of which the backup knows nothing, is noted as one that is never given out.

        Raises HomeError("no-proof") where a name cannot be taken back, or a lockdown not be ended, with its proof.
        """
        detail = {"made_at": made_at} | ({"revoked": ", ".join(sorted(revoked))} if revoked else {})
        await self._proof.write_or_owe("home:restored", WHERE, _WHO, severity=Severity.CRITICAL, detail=detail)
        async with self._store.write() as connection:
            await session_rows.end_everyones(connection, "restored", self._now())
            await invitation_rows.withdraw_all(connection)
            await code_rows.drop_everyones(connection)
            await window_rows.close_all(connection)
        known = {row.name for row in await self._accounts.list_identities()}
        for name in sorted(revoked):
            if name not in known:
                await self._accounts.enrol_identity(name, "client")
            await self._accounts.revoke_identity(name)
        if locked_down:
            await self._lockdown.begin(_WHO)
        else:
            await self._lockdown.end(_WHO)
        # Rooms may have heard a later word than that of the backup.
        await self._lockdown.repeat()


async def read(database: str) -> tuple[tuple[IdentityRow, ...], bool]:
    """Every name that was given out, revoked ones too, and whether the home is locked down; by the database alone.

    Migrates it. Raises ConfigError or HomeError where it cannot be read.
    """
    must_be_there(database)
    store = await open_store(database)
    try:
        async with store.read() as connection:
            return await identity_rows.all_rows(connection), (await lockdown_rows.read(connection)).active
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def opened(config: AuthConfig, *, now: Callable[[], datetime]) -> AsyncIterator[Restored]:
    """Those that `config` describes; migrates the database. Raises ConfigError where something cannot be used."""
    async with opening.opened(config) as (store, passwords, spool):
        yield Restored(store, Proof(spool, now=now), passwords, now=now)
