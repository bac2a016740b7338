"""Lockdown: the home obeys safe actions only. The state lives in the database and in no other place.

Here are its two changes, each with its proof: for people (confirmed_lockdown.py) and for the hub's own command.
Rooms and gateways learn of it from one retained message, which notices.py keeps equal to the database.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.config import AuthConfig
from auth_service.home import lockdown_rows, window_rows
from auth_service.home.notices import Notice
from auth_service.people import invitation_rows
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.store import open_store
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words import messages, topics
from shared.words.internal import LockdownState
from shared.words.messages import Who
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

WHERE = "home"
"""Where it happens, in the events about it: everywhere."""

Check = Callable[[AsyncConnection], Awaitable[None]]
"""What must still be true when the change is made; raises HomeError where it is not."""


async def _nothing(_connection: AsyncConnection) -> None:
    """The hub's own command has nothing to check: whoever may run it may do this."""


class Lockdown:
    """The state and its changes. `wake` tells whoever announces, where that runs in this process."""

    def __init__(
        self, store: Store, proof: Proof, *, now: Callable[[], datetime], wake: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._proof = proof
        self._now = now
        self._wake = wake

    async def state(self) -> LockdownState:
        """What stands."""
        async with self._store.read() as connection:
            return await lockdown_rows.read(connection)

    async def begin(self, who: Who, check: Check = _nothing) -> LockdownState:
        """Lock the home down, end every session of everyone, and let in nobody who was invited or has a line.

        What stands already is begun no second time.

        It is the safer thing, so a full spool does not stop it: the proof is then owed.
        """
        return await self._change(who, check, active=True)

    async def end(self, who: Who, check: Check = _nothing) -> LockdownState:
        """End the lockdown. Its proof comes first: raises HomeError("no-proof"), and then the lockdown goes on."""
        return await self._change(who, check, active=False)

    async def repeat(self) -> LockdownState:
        """Say anew, as of now, what stands: for rooms that believe a later word, as after a restored backup."""
        async with self._store.write() as connection:
            before = await lockdown_rows.lock(connection)
            after = await lockdown_rows.write(connection, before, active=before.active, now=self._now())
        self._wake()
        return after

    async def _change(self, who: Who, check: Check, *, active: bool) -> LockdownState:
        what = "home:locked-down" if active else "home:lockdown-ended"
        write = self._proof.write_or_owe if active else self._proof.write
        said = False
        try:
            async with self._store.write() as connection:
                before = await lockdown_rows.lock(connection)
                if before.active == active:
                    return before
                await check(connection)
                said = True
                await write(what, WHERE, who, severity=Severity.CRITICAL)
                if active:
                    await session_rows.end_everyones(connection, "lockdown", self._now())
                    await invitation_rows.withdraw_all(connection)  # whoever is inside may have invited themselves
                    await window_rows.close_every_awaiting(connection)  # or have a machine of theirs on its way
                after = await lockdown_rows.write(connection, before, active=active, now=self._now())
        except BaseException:
            if said and not await self._stands(active=active):  # it did not happen
                await self._proof.write_or_owe(what, WHERE, who, severity=Severity.CRITICAL, outcome=Outcome.FAILED)
            raise
        self._wake()
        return after

    async def _stands(self, *, active: bool) -> bool:
        """Whether it stands all the same: whoever asked may have gone away while it was committed."""
        try:
            return (await self.state()).active == active
        except HomeError:
            return False


def notice() -> Notice[LockdownState]:
    """The state, for the noticeboard. Its moment is that of the change, so that a repeated word is the same word."""

    def told(state: LockdownState) -> messages.Lockdown:
        return messages.Lockdown(active=state.active, at=state.at or messages.utc(0))

    return Notice(topics.LOCKDOWN, lockdown_rows.read, told)


@contextlib.asynccontextmanager
async def opened(config: AuthConfig, *, now: Callable[[], datetime]) -> AsyncIterator[tuple[Lockdown, Proof]]:
    """The lockdown of the home that `config` describes, and its proof, whether the service runs or not.

    Migrates the database. Raises ConfigError when the database or the spool cannot be used.
    """
    store = await open_store(config.database)
    try:
        with contextlib.closing(Spool(config.spool, source=config.broker.identity)) as spool:
            proof = Proof(spool, now=now)
            yield Lockdown(store, proof, now=now), proof
    finally:
        await store.close()
