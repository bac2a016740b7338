"""Appointments whose time has come: given to one gateway, which carries it out, and ended by its word.

They are made and vetoed like everything that is pending (pending_wishes.py), and judged anew before they are given.
"""

from collections.abc import Callable
from datetime import datetime

from auth_service.account.pending_watch import PendingWatch
from auth_service.home import pending_rows
from auth_service.people import changed_rights
from shared.keeping.database import Store
from shared.words.pending import CameDue, PendingWish, Went
from shared.words.problem import HomeError


class Appointments:
    """Gives and ends them. `wake` tells the gateways at once."""

    def __init__(
        self, store: Store, watch: PendingWatch, *, now: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        self._store = store
        self._watch = watch
        self._now = now
        self._wake = wake

    async def give(self, room: str, device: str, wish_id: str, asked: CameDue) -> PendingWish:
        """It, for this gateway alone to carry out.

        Raises HomeError("wish-over"): it is gone, another gateway's, or its time has not come by our clock.
        """
        await self._watch.sweep(local=asked.local)
        async with self._store.write() as connection:
            standing = await pending_rows.by_id(connection, room, device, wish_id)
            if standing is None or standing.wish.due is None or self._now() < standing.wish.due:
                raise HomeError("wish-over")
            is_over = await self._watch.why_over(connection, standing, asked.local) is not None
            if is_over or not await pending_rows.give(connection, standing.wish, self._now()):
                raise HomeError("wish-over")
        return standing.wish

    async def went(self, room: str, device: str, wish_id: str, told: Went) -> None:
        """It is over; with a `reason` nothing was sent to its room, which is told. However often it is said."""
        async with self._store.write() as connection:
            standing = await pending_rows.by_id(connection, room, device, wish_id)
            if standing is None or standing.given_at is None or not await pending_rows.take(connection, standing.wish):
                return
            await changed_rights.note_registry(connection)
        if told.reason is not None:
            await self._watch.tell_dropped(standing.wish, told.reason)
        self._wake()
