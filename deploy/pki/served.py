"""What a port really serves: the certificate that a handshake gets, whatever lies on disk."""

import datetime as dt
import socket
import ssl
from pathlib import Path

import msgspec
from cryptography import x509

from deploy.pki import reading
from shared.trust import tls
from shared.words.problem import HomeError

_SECONDS = 5.0


class Served(msgspec.Struct, frozen=True):
    """A certificate as it was shown."""

    serial: int
    begins_at: dt.datetime
    ends_at: dt.datetime

    def is_of(self, path: Path) -> bool:
        """Whether it is the one in a file. Raises ConfigError where that is none."""
        return self.serial == reading.certificate(path).serial_number


def look(host: str, port: int, identity: tls.Identity | None = None) -> Served:
    """Shake hands once, as `identity` where a certificate is asked for, and believe anybody: to look is not to trust.

    Raises HomeError("broker-unreachable") in a sentence where nobody answers in TLS; ConfigError for `identity`.
    """
    eyes = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    eyes.check_hostname = False
    eyes.verify_mode = ssl.CERT_NONE
    if identity is not None:
        tls.load_pair(eyes, identity.certificate, identity.key)
    try:
        with socket.create_connection((host, port), timeout=_SECONDS) as plain, eyes.wrap_socket(plain) as sock:
            shown = sock.getpeercert(binary_form=True)
    except OSError as error:
        raise HomeError("broker-unreachable", f"{host}:{port} cannot be looked at: {tls.explain(error)}") from error
    if shown is None:
        raise HomeError("broker-unreachable", f"{host}:{port} shows no certificate")
    found = x509.load_der_x509_certificate(shown)
    return Served(found.serial_number, found.not_valid_before_utc, found.not_valid_after_utc)
