"""The authority that browsers of the household trust: its public certificate, and the fingerprint to compare."""

import hashlib
import ssl
from pathlib import Path

import msgspec

from shared.running.config import ConfigError

FILE = "web-ca.crt"
"""Beside the certificate that it signed."""


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


def fingerprint(der: bytes) -> str:
    """SHA-256 in pairs of capital hexadecimal digits, with colons between."""
    return ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())
