"""Commands over kept HTTPS connections, sent by one thread that waits for whichever answer comes first.

Requests are made beforehand, and the next one leaves once the answer before it is read: so the generator takes as
little as it can from the home that it measures, and what it takes is told beside the figures.
"""

import contextlib
import re
import selectors
import socket
import ssl
import time
from collections.abc import Sequence
from typing import NamedTuple

from tests.bench import load

PATIENCE_SECONDS = 20.0
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)\r\n")


class UnexpectedAnswerError(AssertionError):
    """Somebody answered otherwise than with 200 and the outcome `executed`."""


class Volley(NamedTuple):
    """What came of it: the figures, and the CPU seconds (user and system) that the generator itself used."""

    figures: load.Figures
    cpu: float


def fire(port: int, context: ssl.SSLContext, wishes: Sequence[bytes], clients: int, seconds: float) -> Volley:
    """Let so many clients send `wishes` in turn for so long; every answer must be an executed command.

    Raises UnexpectedAnswerError with the answer that was none.
    """
    latencies: list[float] = []
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        lines = [Line(port, context) for _ in range(clients)]
        for line in lines:
            stack.callback(line.close)
            selector.register(line.socket, selectors.EVENT_READ, line)
        begin, cpu = time.perf_counter(), time.thread_time()
        end = begin + seconds
        for number, line in enumerate(lines):
            line.turn = number
            line.send(wishes[number % len(wishes)])
        flying = clients
        while flying:
            ready = selector.select(PATIENCE_SECONDS)
            if not ready:
                raise UnexpectedAnswerError(f"no answer to any of {flying} commands within {PATIENCE_SECONDS:.0f} s")
            for key, _ in ready:
                line = key.data
                if (answer := line.receive()) is None:
                    continue
                now = time.perf_counter()
                check(answer)
                latencies.append(now - line.sent_at)
                if now < end:
                    line.turn += 1
                    line.send(wishes[line.turn % len(wishes)])
                else:
                    flying -= 1
        took, used = time.perf_counter() - begin, time.thread_time() - cpu
    return Volley(load.Figures(clients, sorted(latencies), took), used)


def check(answer: bytes) -> None:
    """Raises UnexpectedAnswerError unless the whole answer is 200 and says `executed`."""
    if not answer.startswith(b"HTTP/1.1 200 ") or b'"outcome":"executed"' not in answer:
        raise UnexpectedAnswerError(answer.decode(errors="replace"))


class Line:
    """One kept connection: sends a request, and gives its answer once it is whole."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        bare = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(bare, server_hostname="localhost")
        self.socket.settimeout(0)
        self.turn = 0
        self.sent_at = 0.0
        self._got = b""

    def send(self, request: bytes) -> None:
        """One request, small enough to leave at once."""
        self.sent_at = time.perf_counter()
        sent = self.socket.send(request)
        assert sent == len(request), "the gateway does not read"

    def receive(self) -> bytes | None:
        """What there is to read; the whole answer, or None while some of it is still to come."""
        try:
            more = self.socket.recv(65_536)
        except ssl.SSLWantReadError:  # a session ticket, or a part of a record
            return None
        if not more:
            raise UnexpectedAnswerError(f"the gateway hung up after {self._got!r}")
        self._got += more
        size = whole(self._got)
        if size is None or len(self._got) < size:
            return None
        answer, self._got = self._got[:size], self._got[size:]
        return answer

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def whole(begun: bytes) -> int | None:
    """How many bytes the answer that begins so will have; None while its head is not all there."""
    head = begun.find(b"\r\n\r\n")
    if head < 0:
        return None
    length = _LENGTH.search(begun, 0, head + 2)
    if length is None:
        raise UnexpectedAnswerError(f"no Content-Length in {begun[:head]!r}")
    return head + 4 + int(length[1])
