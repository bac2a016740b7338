"""The TLS socket under a paho client, with a buffer each way: paho asks for single bytes and sends single packets.

Each of them would be a call into TLS, a record and a segment of its own. Reading ahead serves every client; gathering
what goes out needs somebody who flushes soon, such as an asyncio loop (`flush_soon`), and is off without one.
"""

import contextlib
import ssl
from collections.abc import Callable

READ_AHEAD_BYTES = 16384
MOST_UNSENT_BYTES = 262_144
"""Past this a sender has to wait, as with any socket whose other end does not read."""


class BufferedSocket(ssl.SSLSocket):
    """What `ssl.SSLContext.sslsocket_class` makes of a connection to the broker. Not blocking, as paho has it."""

    flush_soon: Callable[[], None] | None = None
    _ahead = b""
    _taken = 0
    _unsent: bytearray | None = None

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Up to `buflen` bytes, from what was read ahead where there is any."""
        if self._taken >= len(self._ahead):
            self._taken, self._ahead = 0, b""
            self._ahead = super().recv(READ_AHEAD_BYTES, flags)
        part = self._ahead[self._taken : self._taken + buflen]
        self._taken += len(part)
        return part

    def pending(self) -> int:
        """How many bytes can be had without the network; paho's loops ask before they wait."""
        return len(self._ahead) - self._taken + super().pending()

    def send(self, data: bytes | bytearray | memoryview, flags: int = 0) -> int:  # type: ignore[override]  # typeshed: any buffer
        """Send, or gather until `flush`. Raises ssl.SSLWantWriteError when too much waits already."""
        if self.flush_soon is None:
            return super().send(data, flags)
        if self._unsent is None:
            self._unsent = bytearray()
        if len(self._unsent) > MOST_UNSENT_BYTES and not self.flush():
            raise ssl.SSLWantWriteError
        if not self._unsent:
            self.flush_soon()
        self._unsent += data
        return len(data)

    def flush(self) -> bool:
        """Send what was gathered; False when the network takes no more for now. Raises OSError."""
        while self._unsent:
            try:
                sent = super().send(self._unsent)
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return False
            del self._unsent[:sent]
        return True

    def close(self) -> None:
        """Close; a goodbye that was just said still goes out."""
        with contextlib.suppress(OSError, ValueError):
            self.flush()
        super().close()
