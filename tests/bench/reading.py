"""One answer as it comes over the wire: how many bytes, when it is whole, and what it says once it is unpacked."""

import re
import selectors
import ssl
import zlib
from collections.abc import Callable

from tests.bench.volley import PATIENCE_SECONDS, Line

_LAST_CHUNK = b"0\r\n\r\n"


class Reading(Line):
    """One request on a connection of its own; `is_whole` is asked of all that came, as it came."""

    def __init__(
        self, port: int, context: ssl.SSLContext, request: bytes, is_whole: Callable[[bytearray], bool] | None = None
    ) -> None:
        super().__init__(port, context)
        self.wire = bytearray()
        self.is_done = False
        self._is_whole = is_whole or is_whole_page
        self.send(request)

    def read(self) -> None:
        """Take in what there is. Raises AssertionError where the other end hangs up too early."""
        try:
            more = self.socket.recv(262_144)
        except ssl.SSLWantReadError:
            return
        assert more, f"cut off after {len(self.wire)} bytes"
        self.wire += more
        self.is_done = self._is_whole(self.wire)

    def wait(self, is_there: Callable[[bytearray], bool]) -> None:
        """Read on until that came. Raises AssertionError where nothing comes for long."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            while not is_there(self.wire):
                assert selector.select(PATIENCE_SECONDS), f"nothing came within {PATIENCE_SECONDS:.0f} s"
                self.read()


def is_whole_page(wire: bytes | bytearray) -> bool:
    """Whether an answer of a known or unknown length is all there."""
    head = wire.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = _header(bytes(wire[:head]), b"content-length")
    return len(wire) - head - 4 >= int(length) if length else wire.endswith(_LAST_CHUNK)


def is_whole_snapshot(wire: bytes | bytearray) -> bool:
    """Whether an event stream has told all that there is, and goes on with what changes."""
    return re.search(rb"event: ?ready", unpacked(wire)) is not None


def unpacked(wire: bytes | bytearray) -> bytes:
    """The body as it was meant, as far as it has come: without chunks, and not compressed any more.

    Raises AssertionError for an answer that is not 200.
    """
    head, parted, body = bytes(wire).partition(b"\r\n\r\n")
    if not parted:
        return b""
    assert head.startswith(b"HTTP/1.1 200 "), bytes(wire[:500])
    if _header(head, b"transfer-encoding") == b"chunked":
        body = _joined(body)
    packed = _header(head, b"content-encoding")
    assert packed in {b"", b"gzip"}, packed
    return zlib.decompressobj(wbits=31).decompress(body) if packed else body


def _header(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.strip().lower() == name:
            return value.strip().lower()
    return b""


def _joined(chunked: bytes) -> bytes:
    """The chunks that have come, the last one perhaps not all of it."""
    parts = []
    while chunked:
        size, parted, rest = chunked.partition(b"\r\n")
        if not parted:
            break
        length = int(size.partition(b";")[0], 16)
        parts.append(rest[:length])
        chunked = rest[length + 2 :]
    return b"".join(parts)
