"""Authorities as certificates in files: that which browsers of the household trust, and the fingerprints to compare."""

import hashlib
import re
import ssl
from pathlib import Path

import msgspec

from shared.running.config import ConfigError
from shared.trust import tls

FILE = "web-ca.crt"
"""Beside the certificate that it signed."""
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """An authority's own certificate, and its SHA-256 fingerprint as browsers and systems show it: AB:CD:…"""

    pem: str
    fingerprint: str


def read(path: Path) -> Authority:
    """The authority in a file. Raises ConfigError where it cannot be read or is none."""
    try:
        pem = path.read_text(encoding="ascii")
        return Authority(pem=pem, fingerprint=fingerprint(ssl.PEM_cert_to_DER_cert(pem)))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: is no certificate ({error}); run `homesystem renew`") from error


def anchor(certificate: Path) -> bytes:
    """What a program has to trust, as PEM, so that it believes the server that shows `certificate`.

    The home's own authority where that signed it; else the certificates of the file, which somebody else's authority
    signed. Nothing but certificates: people keep keys in such files, and this is shown to everybody.
    Raises ConfigError where it cannot be read, or has none.
    """
    beside = certificate.with_name(FILE)
    own = beside.exists() and tls.names_its_issuer(certificate, beside)
    path = beside if own else certificate
    try:
        found = _CERTIFICATE.findall(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); run `homesystem renew`") from error
    if not found:
        raise ConfigError(f"{path}: is no certificate; run `homesystem renew`")
    return b"".join(one + b"\n" for one in found)


def fingerprints(path: Path) -> tuple[str, ...]:
    """Of all authorities in a file, in its order: SHA-256 in plain hexadecimal. Raises ConfigError as `read` does."""
    try:
        found = tuple(hashlib.sha256(der).hexdigest() for der in ders(path.read_text(encoding="ascii")))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: is no certificate ({error}); run `homesystem renew`") from error
    if not found:
        raise ConfigError(f"{path}: has no certificates; run `homesystem renew`")
    return found


def pems(text: str) -> tuple[str, ...]:
    """Every certificate in a text, each in its armour."""
    return tuple(f"{_BEGIN}{part.partition(_END)[0]}{_END}\n" for part in text.split(_BEGIN)[1:])


def ders(text: str) -> list[bytes]:
    """Every certificate in a text, as its bytes. Raises ValueError where one is none."""
    return [ssl.PEM_cert_to_DER_cert(pem.strip()) for pem in pems(text)]


def fingerprint(der: bytes) -> str:
    """SHA-256 in pairs of capital hexadecimal digits, with colons between."""
    return ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())
