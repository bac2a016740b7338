"""What has arrived and waits to be recorded, pure: a queue per source, emptied in turn, so that no flood delays others.

What is urgent has queues of its own, ahead of the ordinary ones; neither can keep the other waiting for long. What only
happened gets what both leave of a batch: it never stands in front of an act's proof.

The broker lets only so many messages be under way to us at once. A source that holds more than its share of them has
the others confirmed at once, which promises nothing (only a receipt does), and waits in its own queue; what does not
fit there either is dropped, unreceipted, and an honest producer sends it again.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

HELD_PER_SOURCE = 100
"""So many of one source's messages stay unconfirmed until they are recorded: a crash has the broker send them again."""
HELD_MOST = 150
"""Of all sources together, so that the broker's window of 200 never closes: Mosquitto 2.0.11 opens one that was closed
for all that waits, and `connection` ends whatever sends more than 200."""
URGENT_SHARE = 0.75
"""So much of a batch may be urgent while ordinary things wait: whoever calls all of its own urgent gains no more."""
QUEUE_EVENTS = 10_000
QUEUE_BYTES = 8 * 1024 * 1024
PASSING_EVENTS = 2_000
PASSING_BYTES = 1024 * 1024
"""Of one source's happenings fewer wait, besides its other events: what does not fit comes again, unreceipted."""


class Fate(Enum):
    """What to tell the broker about a message: nothing yet, or that we have it; in the last case it is lost to us."""

    HELD = "held"
    CONFIRM = "confirm"
    DROPPED = "dropped"


class Held:
    """A message that is to be confirmed once everything in it is recorded, on the link that was the `link`th."""

    def __init__(self, link: int, left: int) -> None:
        self.link = link
        self.left = left


class Brought(NamedTuple, Generic[T]):
    """One thing that a message brought, of `size` bytes."""

    item: T
    size: int
    urgent: bool = False
    passing: bool = False


class Taken(NamedTuple, Generic[T]):
    """One thing to record, and the message that brought it, where that is held until then."""

    source: str
    item: T
    held: Held | None
    size: int
    urgent: bool = False
    passing: bool = False


class _Lane(Generic[T]):
    """A queue per source, whose turns come one after the other."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Taken[T]]] = {}
        self._turns: deque[str] = deque()

    def __bool__(self) -> bool:
        return bool(self._queues)

    def __iter__(self) -> Iterator[Taken[T]]:
        return (one for queue in self._queues.values() for one in queue)

    def append(self, one: Taken[T]) -> None:
        queue = self._queues.setdefault(one.source, deque())
        if not queue:
            self._turns.append(one.source)
        queue.append(one)

    def take(self, most: int) -> Iterator[Taken[T]]:
        while self._turns and most > 0:
            source = self._turns.popleft()
            queue = self._queues[source]
            most -= 1
            yield queue.popleft()
            if queue:
                self._turns.append(source)
            else:
                del self._queues[source]


class Inbox(Generic[T]):
    """The queues of all sources. A source's urgent things keep their order, and so do its others."""

    def __init__(
        self,
        *,
        per_source: int = HELD_PER_SOURCE,
        held: int = HELD_MOST,
        events: int = QUEUE_EVENTS,
        size: int = QUEUE_BYTES,
    ) -> None:
        """`events` and `size` (bytes) bound what waits of one source, its happenings aside."""
        self._per_source = per_source
        self._held_most = held
        self._events = events
        self._size = size
        self._urgent: _Lane[T] = _Lane()
        self._ordinary: _Lane[T] = _Lane()
        self._passing: _Lane[T] = _Lane()
        self._held: Counter[str] = Counter()
        self._held_of_all = 0
        self._waiting = 0
        self._counts: Counter[str] = Counter()
        self._sizes: Counter[str] = Counter()
        self._passing_counts: Counter[str] = Counter()
        self._passing_sizes: Counter[str] = Counter()
        self._link = 0

    def __len__(self) -> int:
        return self._waiting

    def put(self, source: str, brought: Sequence[Brought[T]]) -> Fate:
        """Take a message in, or drop it, with all that it brought.

        What only happened holds no message up and drops none: where there is no room for it, it alone is left out.
        """
        acts = [one for one in brought if not one.passing]
        size = sum(one.size for one in acts)
        if self._counts[source] + len(acts) > self._events or self._sizes[source] + size > self._size:
            return Fate.DROPPED
        held = None
        if acts and self._held[source] < self._per_source and self._held_of_all < self._held_most:
            held = Held(self._link, len(acts))
            self._held[source] += 1
            self._held_of_all += 1
        for one in brought:
            if not one.passing:
                self._append(Taken(source, one.item, held, one.size, one.urgent))
            elif self._has_room(source, one.size):
                self._append(Taken(source, one.item, None, one.size, passing=True))
        return Fate.CONFIRM if held is None else Fate.HELD

    def _has_room(self, source: str, size: int) -> bool:
        return self._passing_counts[source] < PASSING_EVENTS and self._passing_sizes[source] + size <= PASSING_BYTES

    def keep(self, source: str, item: T, *, urgent: bool = False) -> None:
        """Take in what no link brought: it is never dropped."""
        self._append(Taken(source, item, held=None, size=0, urgent=urgent))

    def take(self, most: int) -> list[Taken[T]]:
        """Up to `most` to record next, urgent ones first: one of each source in turn, however many one of them has."""
        ahead = max(1, int(most * URGENT_SHARE)) if self._ordinary else most
        batch = list(self._urgent.take(ahead))
        batch += self._ordinary.take(most - len(batch))
        batch += self._passing.take(most - len(batch))
        self._waiting -= len(batch)
        for one in batch:
            counts, sizes = self._counters(one)
            counts[one.source] -= 1
            sizes[one.source] -= one.size
            if not counts[one.source]:
                del counts[one.source], sizes[one.source]
        return batch

    def _counters(self, one: Taken[T]) -> tuple[Counter[str], Counter[str]]:
        return (self._passing_counts, self._passing_sizes) if one.passing else (self._counts, self._sizes)

    def settled(self, batch: Iterable[Taken[T]]) -> list[T]:
        """These are recorded. Those by which a message on this link became whole: it is to be confirmed now.

        Its source may hold as many again.
        """
        whole = []
        for one in batch:
            if one.held is None or one.held.link != self._link:
                continue
            one.held.left -= 1
            if not one.held.left:
                self._held[one.source] -= 1
                self._held_of_all -= 1
                whole.append(one.item)
        return whole

    def forget(self) -> None:
        """The link is gone: what was not confirmed on it comes again; what was confirmed is ours to keep."""
        self._link += 1
        for counter in (self._held, self._counts, self._sizes, self._passing_counts, self._passing_sizes):
            counter.clear()
        self._held_of_all = self._waiting = 0
        lanes = (self._urgent, self._ordinary, self._passing)
        kept = [one for lane in lanes for one in lane if one.held is None]
        self._urgent, self._ordinary, self._passing = _Lane(), _Lane(), _Lane()
        for one in kept:
            self._append(one)

    def _append(self, one: Taken[T]) -> None:
        lane = self._passing if one.passing else self._urgent if one.urgent else self._ordinary
        lane.append(one)
        self._waiting += 1
        counts, sizes = self._counters(one)
        counts[one.source] += 1
        sizes[one.source] += one.size
