"""What has arrived and waits to be recorded, pure: a queue per source, emptied in turn, so that no flood delays others.

The broker lets only so many messages be under way to us at once. A source that holds more than its share of them has
the others confirmed at once, which promises nothing (only a receipt does), and waits in its own queue; what does not
fit there either is dropped, unreceipted, and an honest producer sends it again.
"""

from collections import Counter, deque
from collections.abc import Iterable
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

HELD_PER_SOURCE = 100
"""So many of one source's messages stay unconfirmed until they are recorded: a crash has the broker send them again."""
HELD_MOST = 150
"""Of all sources together, so that the broker's window of 200 never closes."""
QUEUE_EVENTS = 10_000
QUEUE_BYTES = 8 * 1024 * 1024


class Fate(Enum):
    """What to tell the broker about a message: nothing yet, or that we have it; in the last case it is lost to us."""

    HELD = "held"
    CONFIRM = "confirm"
    DROPPED = "dropped"


class Taken(NamedTuple, Generic[T]):
    """One thing to record. `held`: it is to be confirmed once it is, on the link that was the `link`th."""

    source: str
    item: T
    held: bool
    link: int
    size: int


class Inbox(Generic[T]):
    """The queues of all sources. Every order is that of arrival within one source."""

    def __init__(
        self,
        *,
        per_source: int = HELD_PER_SOURCE,
        held: int = HELD_MOST,
        events: int = QUEUE_EVENTS,
        size: int = QUEUE_BYTES,
    ) -> None:
        """`events` and `size` (bytes) bound the queue of one source."""
        self._per_source = per_source
        self._held_most = held
        self._events = events
        self._size = size
        self._queues: dict[str, deque[Taken[T]]] = {}
        self._turns: deque[str] = deque()
        self._held: Counter[str] = Counter()
        self._sizes: Counter[str] = Counter()
        self._link = 0

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def put(self, source: str, item: T, size: int) -> Fate:
        """Take a message of `size` bytes in, or drop it."""
        if len(self._queues.get(source, ())) >= self._events or self._sizes[source] + size > self._size:
            return Fate.DROPPED
        held = self._held[source] < self._per_source and self._held.total() < self._held_most
        self._held[source] += held
        self._append(Taken(source, item, held, self._link, size))
        return Fate.HELD if held else Fate.CONFIRM

    def keep(self, source: str, item: T) -> None:
        """Take in what no link brought: it is never dropped."""
        self._append(Taken(source, item, held=False, link=self._link, size=0))

    def take(self, most: int) -> list[Taken[T]]:
        """Up to `most` to record next: one of each source in turn, however many one of them has."""
        batch: list[Taken[T]] = []
        while self._turns and len(batch) < most:
            source = self._turns.popleft()
            queue = self._queues[source]
            batch.append(one := queue.popleft())
            self._sizes[source] -= one.size
            if queue:
                self._turns.append(source)
            else:
                del self._queues[source], self._sizes[source]
        return batch

    def settled(self, batch: Iterable[Taken[T]]) -> None:
        """These are recorded and, where they were held, confirmed: their sources may hold as many again."""
        for one in batch:
            if one.held and one.link == self._link:
                self._held[one.source] -= 1

    def forget(self) -> None:
        """The link is gone: what was not confirmed on it comes again; what was confirmed is ours to keep."""
        self._link += 1
        self._held.clear()
        kept = [one for queue in self._queues.values() for one in queue if not one.held]
        self._queues.clear()
        self._sizes.clear()
        self._turns.clear()
        for one in kept:
            self._append(one)

    def _append(self, one: Taken[T]) -> None:
        queue = self._queues.setdefault(one.source, deque())
        if not queue:
            self._turns.append(one.source)
        queue.append(one)
        self._sizes[one.source] += one.size
