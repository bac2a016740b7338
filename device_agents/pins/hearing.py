"""The edges of inputs as the kernel saw them, which way and when, however late their reader comes; and the chip's end.

Each input has a request of its own. The kernel keeps a number of edges for each request and drops the oldest beyond it,
so that a wire that hums costs nobody else's press.
"""

import errno
import logging
import os
import select
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from device_agents.pins.pins import Board, Changed
from shared.running.log import facts

log = logging.getLogger(__name__)

EDGES_KEPT = 256
"""So many edges of each input the kernel keeps until they are read: some 12 KiB. It gives 16 to who asks for none."""
LOOK_SECONDS = 1.0
"""So often the chip is looked at, since older kernels wake nobody when it goes, and then whether it is back."""


class Pulled(Protocol):
    """What is asked of a chip that may be pulled out."""

    def look(self) -> None:
        """Raises OSError(ENODEV) once it is gone."""

    def let_go(self) -> None:
        """It is gone."""

    def is_back(self) -> bool:
        """Whether it is there again."""


class Hearing:
    """A thread that reads edges as they come; whoever is about to act by the clock has them all told by `catch_up`.

    `requests` are the library's, by line; `turn` is held for every call of them, since the library wants such calls
    one at a time.
    """

    def __init__(self, gpiod: Any, requests: Mapping[int, Any], turn: threading.Lock) -> None:
        self._rising = gpiod.EdgeEvent.Type.RISING_EDGE
        self._requests = dict(requests)
        self._by_descriptor = {request.fd: pin for pin, request in requests.items()}
        self._turn = turn
        self._numbers = dict.fromkeys(requests, 0)
        self._stop = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._changed: Changed | None = None
        self.thread: threading.Thread | None = None

    def start(self, changed: Changed, board: Board, chip: Pulled) -> None:
        """From now on `changed` and `board` are called."""
        self._changed = changed
        self.thread = threading.Thread(target=self._live, args=(board, chip), name="edges", daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Hear nothing more; the requests are the caller's to release."""
        os.eventfd_write(self._stop, 1)
        if self.thread is not None:
            self.thread.join()
        os.close(self._stop)

    def catch_up(self, pin: int) -> None:
        """Tell every edge of the line up to this moment; whoever calls has the turn. Raises what the library raises.

        One reading takes all that the kernel keeps, and waits for none.
        """
        request = self._requests[pin]
        if self._changed is None or not request.wait_edge_events(0):
            return
        for event in request.read_edge_events(EDGES_KEPT):
            missed = event.line_seqno != self._numbers[pin] + 1
            self._numbers[pin] = event.line_seqno
            level = int(event.event_type == self._rising)  # of active-low lines the kernel tells the logical edge
            self._changed(pin, level, event.timestamp_ns / 1e9, missed=missed)

    def _live(self, board: Board, chip: Pulled) -> None:
        """The thread, until `close`."""
        try:
            reason = self._hear(chip)
            if reason is None:
                return
            log.error("Chip is gone", extra=facts(reason=reason, inputs=len(self._requests)))
            chip.let_go()
            board(there=False)
            while not select.select([self._stop], [], [], LOOK_SECONDS)[0]:
                if chip.is_back():
                    log.warning("Chip is there again")
                    board(there=True)
                    return
        except Exception:
            # Nothing tells of an edge from now on, though every line still reads well: only a new start hears again.
            log.exception("Inputs are not heard any more")
            board(there=True)

    def _hear(self, chip: Pulled) -> OSError | None:
        """Tell of edges until `close`, or until the chip is gone: then why."""
        waiting = select.poll()
        for descriptor in (self._stop, *self._by_descriptor):
            waiting.register(descriptor, select.POLLIN)
        while True:
            ready = dict(waiting.poll(LOOK_SECONDS * 1000))
            if self._stop in ready:
                return None
            try:
                with self._turn:
                    if not ready or any(what & ~select.POLLIN for what in ready.values()):
                        chip.look()
                    for descriptor in ready:
                        self.catch_up(self._by_descriptor[descriptor])
            except OSError as error:
                if error.errno == errno.ENODEV:
                    return error
                log.warning("Edges cannot be read", extra=facts(reason=error))
                select.select([self._stop], [], [], LOOK_SECONDS)
