"""How long the gateway's loop is held by what is asked of it, seen from outside by small requests beside it.

A probe waits for as long as the loop is with something else, or the machine with others; the CPU that the gateway used
meanwhile counts what its other threads did, too. So the loop was held for as long as the smaller of the two at most.
"""

import contextlib
import selectors
import ssl
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.bench import resident
from tests.bench.reading import Reading
from tests.bench.volley import PATIENCE_SECONDS, Line

PROBE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Held(NamedTuple):
    """The longest that the loop was held and that a probe waited, and how long the answer took, all in seconds.

    `wire` is how many bytes the answer had.
    """

    held: float
    waited: float
    seconds: float
    wire: int


def probed(pid: int, port: int, context: ssl.SSLContext, ask: Callable[[], Reading]) -> Held:
    """Probe the gateway (`pid`) without a pause while it gives one answer."""
    held = waited = 0.0
    with contextlib.closing(Line(port, context)) as probe, selectors.DefaultSelector() as selector:
        before = resident.cpu_seconds(pid)
        probe.send(PROBE)
        begin = time.perf_counter()
        with contextlib.closing(ask()) as asked:
            selector.register(probe.socket, selectors.EVENT_READ)
            selector.register(asked.socket, selectors.EVENT_READ, asked)
            ended = None
            # Until a probe was answered that left after the answer came: the one before it may have waited for that.
            while ended is None or probe.sent_at < ended:
                ready = selector.select(PATIENCE_SECONDS)
                assert ready, f"no answer within {PATIENCE_SECONDS:.0f} s"
                for key, _ in ready:
                    if key.data is not None:
                        asked.read()
                        if asked.is_done:
                            selector.unregister(asked.socket)
                            ended = time.perf_counter()
                    elif probe.receive() is not None:
                        now, wait = resident.cpu_seconds(pid), time.perf_counter() - probe.sent_at
                        held, waited = max(held, min(now - before, wait)), max(waited, wait)
                        before = now
                        probe.send(PROBE)
            return Held(held, waited, ended - begin, len(asked.wire))
