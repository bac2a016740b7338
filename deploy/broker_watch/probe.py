"""Asks the broker for a sign of life: holds one connection as `broker-watch`, and pings on it.

A refusal is a sign of life too: a broker to which our certificate is too old is not frozen, and starting it anew would
mend nothing. Only silence counts.
"""

import contextlib
import socket
import ssl
import time
from pathlib import Path

from shared.running.config import ConfigError
from shared.trust import tls

IDENTITY = "broker-watch"
PATIENCE_SECONDS = 4.0
"""For each step of asking; three at most, and so well within the unit's WatchdogSec."""
_NAME = IDENTITY.encode()
# CONNECT (MQTT 5.0, 3.1): the protocol's name, version 5, clean start, a keepalive of 60 s, no properties, our name.
_BODY = b"\x00\x04MQTT\x05\x02\x00\x3c\x00" + len(_NAME).to_bytes(2, "big") + _NAME
CONNECT = b"\x10" + bytes([len(_BODY)]) + _BODY
PING = b"\xc0\x00"
_CONNACK = 0x20
_MOST = 4096


class SilentError(Exception):
    """Nobody listens, or nothing was said for so long."""


class Probe:
    """One asker of the broker at `address`, with the pair that lies in `pki`."""

    def __init__(self, address: tuple[str, int], pki: Path) -> None:
        self._address = address
        self._identity = tls.Identity(
            ca=pki / "device-ca.crt", certificate=pki / f"{IDENTITY}.crt", key=pki / f"{IDENTITY}.key"
        )
        self._link: ssl.SSLSocket | None = None

    def ask(self) -> str:
        """How the broker is, in words, on any sign of life. Raises SilentError without one."""
        try:
            if self._link is not None and self._answers(self._link, PING):
                return "Answering"
            # Never asked yet, or the broker hung up: it may have been told to, so it is asked anew.
            self.close()
            return self._connect()
        except TimeoutError:
            self.close()
            raise SilentError("the broker says nothing") from None

    def close(self) -> None:
        """Hang up."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def _connect(self) -> str:
        fault = None
        try:
            context = tls.client_context(self._identity)
        except ConfigError as error:
            # Without a pair of ours the broker lets nobody in, and yet a greeting of TLS shows that it lives.
            context, fault = _greeting(), str(error)
        try:
            plain = socket.create_connection(self._address, PATIENCE_SECONDS)
        except TimeoutError:
            raise
        except OSError as error:
            raise SilentError(f"nobody listens: {error.strerror}") from error
        with contextlib.ExitStack() as undo:
            undo.callback(plain.close)
            try:
                link = context.wrap_socket(plain, server_hostname=self._address[0])
                undo.callback(link.close)
                welcome = fault is None and self._answers(link, CONNECT)
            except TimeoutError:
                raise
            except OSError as error:  # ssl.SSLError is one: an alert, or a certificate that is not for us
                return f"Answering, and refuses the watch: {tls.why_refused(self._identity, error, time.time())}"
            if fault is not None:
                return f"Answering; the watch cannot come in: {fault}"
            if not welcome:
                return "Answering, and hung up on the watch"
            undo.pop_all()
        self._link = link
        return "Answering"

    def _answers(self, link: ssl.SSLSocket, question: bytes) -> bool:
        """Whether an answer came; False where the broker hung up. Raises TimeoutError, or an OSError of TLS."""
        try:
            link.sendall(question)
            return bool(link.recv(_MOST))
        except TimeoutError:
            raise
        except OSError:
            if question == CONNECT:
                raise
            return False


def _greeting() -> ssl.SSLContext:
    """Believes whoever answers, and shows nothing: no more than a greeting is made with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
