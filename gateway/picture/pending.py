"""What waits for a second person or for its time, pure: the part of `gateway.picture.home` that keeps it."""

from collections.abc import Iterable

from gateway.picture.views import PendingView, pending_view
from shared.words.pending import PendingWish

Place = tuple[str, str]
"""A room and a device."""


class Pending:
    """Every wish that is pending, by its device. What changes it returns the places where something changed."""

    def __init__(self) -> None:
        self._by_place: dict[Place, tuple[PendingWish, ...]] = {}

    def of(self, room: str, device: str) -> tuple[PendingView, ...]:
        """What is pending of a device, one wish an action."""
        return tuple(map(pending_view, self._by_place.get((room, device), ())))

    def appointments(self) -> tuple[PendingWish, ...]:
        """What is carried out at its time, the next one first."""
        return tuple(sorted((one for one in self._all() if one.due is not None), key=lambda one: one.until))

    def set_all(self, wishes: Iterable[PendingWish]) -> list[Place]:
        """All that is pending in the home."""
        before, now = self._by_place, dict[Place, tuple[PendingWish, ...]]()
        for wish in sorted(wishes, key=lambda one: one.action):
            now[wish.room, wish.device] = (*now.get((wish.room, wish.device), ()), wish)
        self._by_place = now
        return [place for place in before | now if before.get(place) != now.get(place)]

    def add(self, wish: PendingWish) -> list[Place]:
        """Somebody wants this; it is the only wish for its action."""
        place = (wish.room, wish.device, wish.action)
        return self.set_all((*(one for one in self._all() if (one.room, one.device, one.action) != place), wish))

    def drop(self, room: str, device: str, wish: str) -> list[Place]:
        """This is pending no more: it was agreed to, or taken back."""
        return self.set_all([one for one in self._all() if (one.room, one.device, one.id) != (room, device, wish)])

    def _all(self) -> list[PendingWish]:
        return [one for wishes in self._by_place.values() for one in wishes]
