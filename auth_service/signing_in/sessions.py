"""Sessions at work: does one live, whose are there, and ending them, which every gateway hears at once."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.people import changed_rights, user_rows
from auth_service.proof import Proof
from auth_service.signing_in import ending_rows, session_lists, session_rows
from auth_service.signing_in.networks import is_home, network
from auth_service.signing_in.session_rows import Ended, Limits
from shared.broker.bus import Bus
from shared.keeping.database import Store
from shared.running.log import facts
from shared.running.waiting import woken
from shared.words import topics
from shared.words.internal import SessionInfo, SessionRows
from shared.words.messages import Revoked, UserRef, Who
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

AT_HOME = timedelta(minutes=15)
"""Whose page was last open longer ago may have left: a letter too many is better than one too few."""
_PATROL_SECONDS = 1.0


class Sessions:
    """What gateways ask about sessions. `wake` makes the announcer go; `home`: networks of the home besides its own."""

    def __init__(
        self,
        store: Store,
        proof: Proof,
        *,
        limits: Limits,
        now: Callable[[], datetime],
        wake: Callable[[], None],
        home: Sequence[str] = (),
    ) -> None:
        self._store = store
        self._proof = proof
        self._limits = limits
        self._now = now
        self._wake = wake
        self._home = tuple(home)

    async def verify(self, token: str, address: str = "") -> SessionInfo:
        """The live session of a token, which is used from `address`.

        Raises HomeError("sign-in-required"), with the `reason` where it is known.
        """
        now = self._now()
        async with self._store.read() as connection:
            found = await session_rows.find(connection, token, limits=self._limits, now=now)
            reason = None if found is not None else await session_rows.why_ended(connection, token, now)
        if found is None:
            raise HomeError("sign-in-required", **({} if reason is None else {"reason": reason}))
        moved = bool(address) and network(address) != network(found.seen_from)
        if found.stale or moved:
            await self._touch(found.info.id, address or found.seen_from, now)
        return found.info

    async def goes_on(self, connection: AsyncConnection, session_id: str) -> bool:
        """Whether a session is live, by its public id; on a connection of the caller's."""
        return await session_rows.goes_on(connection, session_id, limits=self._limits, now=self._now())

    async def somebody_at_home(self) -> bool:
        """Whether a session was used within AT_HOME from an address of the home's."""
        now = self._now()
        async with self._store.read() as connection:
            used = await session_lists.used_from(connection, now - AT_HOME, limits=self._limits, now=now)
        return any(is_home(address, self._home) for address in used)

    async def of(self, user_id: str) -> SessionRows:
        """A user's live sessions, newest first."""
        async with self._store.read() as connection:
            rows = await session_lists.rows_of(connection, user_id, limits=self._limits, now=self._now())
        return SessionRows(sessions=rows)

    async def end_token(self, token: str, issuer: str) -> None:
        """Sign out; a token without a session is signed out already."""
        async with self._store.write() as connection:
            ended = await session_rows.end_token(connection, token, self._now())
        if ended is not None:
            await self._ended(ended, Who(issuer=issuer, user=UserRef(id=ended.user_id, name=ended.user_name)))

    async def end_id(self, session_id: str, *, owner: str | None, by: str, issuer: str, address: str) -> None:
        """End one by its public id; `owner`: only if it is theirs; `by`: who asked. Raises HomeError("not-found")."""
        async with self._store.write() as connection:
            ended = await session_rows.end_id(connection, session_id, owner, self._now())
            name = await user_rows.name_of(connection, by)
        if ended is None:
            raise HomeError("not-found", "There is no such session; it may have ended already.")
        user = UserRef(id=by, name=name) if name is not None else None
        await self._ended(ended, Who(issuer=issuer, user=user, address=address or None))

    async def drop_expired(self) -> None:
        """Forget sessions past their time."""
        async with self._store.write() as connection:
            await session_rows.drop_expired(connection, limits=self._limits, now=self._now())
            await ending_rows.drop_old(connection, self._now())

    async def _touch(self, session_id: str, seen_from: str, now: datetime) -> None:
        try:
            async with self._store.write() as connection:
                await session_rows.touch(connection, session_id, seen_from, now)
        except HomeError as error:
            # It lives all the same: a full disk must not keep the owner from switching things off.
            log.warning("Session's use not written down", extra=facts(session=session_id, reason=error))

    async def _ended(self, ended: Ended, who: Who) -> None:
        self._wake()
        # It has ended, which is the safer state: a full disk does not turn that into an error.
        by_another = who.user is None or who.user.id != ended.user_id
        whose = {"partner": ended.user_id} if by_another else {}  # so that erasing them finds it
        await self._proof.note("session:ended", f"session/{ended.id}", who, user=ended.user_name, **whose)


class Announcer:
    """Publishes ended sessions, and whose rights changed, until the broker took the news; what `homesystem` did within
    a second.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """A session ended, somebody's rights changed, or the broker is back."""
        self._woken.set()

    async def run(self, bus: Bus) -> None:
        """Announce until cancelled."""
        while True:
            # The timeout is the patrol: what another process ended.
            await woken(self._woken, _PATROL_SECONDS)
            self._woken.clear()
            if bus.connected:
                try:
                    await self._announce(bus)
                except HomeError as error:
                    log.warning("Ended sessions and changed rights not announced yet", extra=facts(reason=error))

    async def _announce(self, bus: Bus) -> None:
        async with self._store.read() as connection:
            ended = await session_rows.untold(connection)
            changed = await changed_rights.untold(connection)
        if not ended and not changed:
            return
        users = tuple(dict.fromkeys(one.user_id for one in changed if one.user_id != changed_rights.REGISTRY))
        registry = any(one.user_id == changed_rights.REGISTRY for one in changed)
        reason = await bus.publish(topics.REVOKED, Revoked(sessions=ended, users=users, registry=registry))
        if reason >= 128:
            raise HomeError("broker-unreachable", f"the broker refused the news of ended sessions: {reason}")
        async with self._store.write() as connection:
            await session_rows.told(connection, ended)
            await changed_rights.told(connection, changed)
