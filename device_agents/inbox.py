"""The one inbox: whatever happens anywhere is put here, and the loop takes it out, one thing after the other."""

import contextlib
import os
import queue
import select
from typing import Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")


class Changed(NamedTuple):
    """An input's pin changed, or bounced: the room has noted it, and the loop is to look."""


class Board(NamedTuple):
    """What the pins are on has gone away, or is there again."""

    there: bool


class Stop(NamedTuple):
    """End."""


class Connection(Protocol):
    """A socket that the loop waits for besides."""

    def fileno(self) -> int | None:
        """The socket to wait for; None while there is none."""

    def wants_write(self) -> bool:
        """Whether something waits to be sent."""

    def ready(self) -> None:
        """Read and write what can be, without waiting."""


class Inbox(Generic[T]):
    """Items from any thread, and from signal handlers; only the loop takes."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[T] = queue.SimpleQueue()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._is_stirred = False

    def put(self, item: T) -> None:
        """Leave an item and wake the loop."""
        self._items.put(item)
        os.eventfd_write(self._bell, 1)

    def stir(self, item: T) -> None:
        """As `put`, unless one that was left so waits still: what hums wakes the loop once, however fast it is."""
        if not self._is_stirred:
            self._is_stirred = True
            self.put(item)

    def leave(self, item: T) -> None:
        """As `put`, by the loop itself, which needs no waking: it looks before it waits."""
        self._items.put(item)

    def take(self) -> T | None:
        """The next item, if there is one."""
        try:
            item = self._items.get_nowait()
        except queue.Empty:
            return None
        if isinstance(item, Changed):
            self._is_stirred = False  # before the loop looks: what is noted from now on stirs again
        return item

    def is_empty(self) -> bool:
        """Whether there is no item just now."""
        return self._items.empty()

    def wait(self, seconds: float, connection: Connection) -> None:
        """Until there is an item or the connection has something to do, at most so long."""
        number = connection.fileno()
        reads = [self._bell] if number is None else [self._bell, number]
        writes = [number] if number is not None and connection.wants_write() else []
        readable, writable, _ = select.select(reads, writes, [], seconds if self._items.empty() else 0.0)
        if self._bell in readable:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._bell)
        if number is not None and (number in readable or number in writable):
            connection.ready()

    def close(self) -> None:
        """Nothing is put any more."""
        os.close(self._bell)
