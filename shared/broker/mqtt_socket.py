"""The TLS socket under a paho client, with a buffer each way: paho asks for single bytes and sends single packets.

Each of them would be a call into TLS, a record and a segment of its own. Reading ahead serves every client; gathering
what goes out needs somebody who flushes soon, such as an asyncio loop (`flush_soon`), and is off without one.
"""

import contextlib
import ssl
from collections.abc import Callable

from shared.broker.mqtt_ahead import Packet, packet

READ_AHEAD_BYTES = 16384
MOST_UNSENT_BYTES = 262_144
"""Past this a sender has to wait, as with any socket whose other end does not read."""


_LATER = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class BufferedSocket(ssl.SSLSocket):
    """What `ssl.SSLContext.sslsocket_class` makes of a connection to the broker. Not blocking, as paho has it."""

    flush_soon: Callable[[], None] | None = None
    refusal: str | None = None
    """How the other side ended the connection, where it said so: its TLS alert, in OpenSSL's words."""
    _ahead = b""
    _taken = 0
    _unsent: bytearray | None = None

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands; a connection on which that fails is closed, since paho forgets it."""
        try:
            super().do_handshake(block)
        except _LATER:
            raise
        except OSError:
            super().close()
            raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Up to `buflen` bytes, from what was read ahead where there is any."""
        if self._taken >= len(self._ahead):
            self._read_ahead(flags)
        part = self._ahead[self._taken : self._taken + buflen]
        self._taken += len(part)
        return part

    def packet(self) -> Packet | None:
        """The next packet, taken out where all of it is there."""
        if self._taken >= len(self._ahead):
            with contextlib.suppress(OSError):  # paho asks next, and is told
                self._read_ahead()
        found = packet(self._ahead, self._taken)
        if found is not None:
            self._taken = found.end
        return found

    def _read_ahead(self, flags: int = 0) -> None:
        self._taken, self._ahead = 0, b""
        try:
            self._ahead = super().recv(READ_AHEAD_BYTES, flags)
        except _LATER:
            raise
        except OSError as error:
            self._ended(error)
            raise
        if not self._ahead:
            self._ended(None)

    @property
    def is_holding(self) -> bool:
        """Whether something waits for `flush`."""
        return bool(self._unsent)

    def pending(self) -> int:
        """How many bytes can be had without the network; paho's loops ask before they wait."""
        return len(self._ahead) - self._taken + super().pending()

    def send(self, data: bytes | bytearray | memoryview, flags: int = 0) -> int:  # type: ignore[override]  # typeshed: any buffer
        """Send, or gather until `flush`. Raises ssl.SSLWantWriteError when too much waits already."""
        if self.flush_soon is None:
            return self._send(data, flags)
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
                sent = self._send(self._unsent)
            except _LATER:
                return False
            del self._unsent[:sent]
        return True

    def _send(self, data: bytes | bytearray | memoryview, flags: int = 0) -> int:
        try:
            return super().send(data, flags)
        except _LATER:
            raise
        except OSError as error:
            self._ended(error)
            raise

    def _ended(self, error: OSError | None) -> None:
        """Note the other side's last word. Under TLS 1.3 a refusal comes after the handshake, when we speak already.

        So we may learn of the end by a reset, or by a write that fails, with the alert still there to be read.
        """
        if self.refusal is not None:
            return
        if not _is_alert(error):
            try:
                super().recv(1)
            except OSError as found:
                error = found
        if _is_alert(error):
            self.refusal = str(error)

    def close(self) -> None:
        """Close; a goodbye that was just said still goes out."""
        with contextlib.suppress(OSError, ValueError):
            self.flush()
        super().close()


def _is_alert(error: OSError | None) -> bool:
    return isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or "")
