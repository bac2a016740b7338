"""Opens a window for a room or client: ten minutes in which one machine, which brings the token, becomes that."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import telling
from auth_service.home import identity_rows, places, room_rows, window_rows
from auth_service.home.window import LIFETIME, Window
from auth_service.joining import granted
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.words.internal_joining import Kind, role_of
from shared.words.messages import Who
from shared.words.problem import HomeError

May = Callable[[AsyncConnection], Awaitable[None]]
"""Raises HomeError where whoever asks may not."""


class Opened(NamedTuple):
    """A window: the token that opens it, told once, and until when. `resumes`: the name was given out before."""

    token: str
    expires_at: datetime
    resumes: bool = False


class Windows:
    """Opens them, in the database of the service, whether that runs or not."""

    def __init__(self, store: Store, proof: Proof, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._proof = proof
        self._now = now

    async def open(
        self,
        name: str,
        who: Who,
        *,
        kind: Kind = "room",
        devices: tuple[str, ...] = (),
        may: May | None = None,
        unfinished: bool = False,
    ) -> Opened:
        """For a new room or client of this name; a former window for it is over. `may` is asked first, where it stands.

        `devices`: what a client is to command and hear, as `hall/lamp`. `unfinished`: a name that is known already has
        nothing at the broker, so that nobody ever came in by it.

        Raises HomeError: invalid-value, already-exists (the name is in use, or was revoked), not-found (a room of
        `devices`), unknown-device (where its room has said what it has), no-proof, and what `may` says.
        """
        now = self._now()
        async with telling.change(self._store, self._proof, who) as (connection, say):
            if may is not None:
                await may(connection)
            identity_rows.check_name(name, role_of(kind))
            places.check(await room_rows.all_enrolled(connection), devices)
            resumes = await self._check_free(connection, name, kind, unfinished=unfinished)
            window = Window(
                name=name, kind=kind, may=devices, opened_at=now, expires_at=now + LIFETIME, resumes=resumes
            )
            critical = await room_rows.critical_among(connection, devices)
            told = {"may": granted.in_words(devices, critical)} if devices else {}
            return await self._put(connection, window, who, say, **told)

    async def open_again(self, name: str, kind: Kind, who: Who) -> Opened:
        """For a room or client that there is, on another machine or another card; a former window for it is over.

        Raises HomeError: not-found, also for one that was revoked; no-proof.
        """
        now = self._now()
        async with telling.change(self._store, self._proof, who) as (connection, say):
            await identity_rows.standing(connection, name, role_of(kind))
            window = Window(name=name, kind=kind, opened_at=now, expires_at=now + LIFETIME, renews=True)
            return await self._put(connection, window, who, say, again="yes")

    async def _put(
        self, connection: AsyncConnection, window: Window, who: Who, say: telling.Say, **told: str
    ) -> Opened:
        opened_by = None if who.user is None else who.user.id
        token = await window_rows.put(connection, window, opened_by=opened_by)
        until = f"{window.expires_at:%Y-%m-%d %H:%M} UTC"
        by = {"by": "a file for an app"} if window.kind == "phone" else {}
        await say(f"{window.role}:awaited", window.place, until=until, **by, **told)
        return Opened(token, window.expires_at, window.resumes)

    async def _check_free(self, connection: AsyncConnection, name: str, kind: Kind, *, unfinished: bool) -> bool:
        """Whether the name was given out already, to a machine that never got what it came for."""
        known = await identity_rows.find(connection, name)
        if known is None:
            return False
        if known.revoked_at is not None:
            raise HomeError("already-exists", identity_rows.taken(known))
        window = await window_rows.of(connection, name)
        never_came = unfinished or (window is not None and window.certificate is None and not window.renews)
        if known.role != role_of(kind) or not never_came:
            raise HomeError("already-exists", identity_rows.taken(known))
        return True
