"""Opens a window for a room: ten minutes in which one machine, which brings the token, becomes that room."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import telling
from auth_service.home import identity_rows
from auth_service.joining import window_rows
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.words.messages import Who
from shared.words.problem import HomeError

May = Callable[[AsyncConnection], Awaitable[None]]
"""Raises HomeError where whoever asks may not."""


class Opened(NamedTuple):
    """A window: the token that opens it, told once, and until when."""

    token: str
    expires_at: datetime


class Windows:
    """Opens them, in the database of the service, whether that runs or not."""

    def __init__(self, store: Store, proof: Proof, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._proof = proof
        self._now = now

    async def open(self, name: str, who: Who, *, may: May | None = None, unfinished: bool = False) -> Opened:
        """For a new room of this name; a former window for it is over. `may` is asked first, where it stands.

        `unfinished`: a room of this name that is known already has nothing at the broker, so that nobody ever came in
        by its name.

        Raises HomeError: invalid-value, already-exists (the name is in use, or was revoked), no-proof, and what `may`
        says.
        """
        async with telling.change(self._store, self._proof, who) as (connection, say):
            if may is not None:
                await may(connection)
            identity_rows.check_name(name, "room")
            resumes = await self._check_free(connection, name, unfinished=unfinished)
            token, expires_at = await window_rows.put(connection, name, resumes=resumes, now=self._now())
            await say("room:awaited", f"room/{name}", until=f"{expires_at:%Y-%m-%d %H:%M} UTC")
        return Opened(token, expires_at)

    async def _check_free(self, connection: AsyncConnection, name: str, *, unfinished: bool) -> bool:
        """Whether the name was given out already, to a machine that never got what it came for."""
        known = await identity_rows.find(connection, name)
        if known is None:
            return False
        if known.revoked_at is not None:
            text = f"The name {name} was revoked, and no name is ever given out twice. Choose another one."
            raise HomeError("already-exists", text)
        window = await window_rows.of(connection, name)
        never_came = unfinished or (window is not None and window.certificate is None)
        if known.role != "room" or not never_came:
            raise HomeError("already-exists", in_use(name))
        return True


def in_use(name: str) -> str:
    """What to do about a name that somebody has."""
    return f"The name {name} is in use. For its room on another card there is homesystem room renew."
