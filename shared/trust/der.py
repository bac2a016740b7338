"""The little of DER (ITU-T X.690) that certificates and lists are read with where no library for them is at hand."""

from collections.abc import Iterator

INTEGER, SEQUENCE = 0x02, 0x30
_VERSION = 0xA0
_COMMON_NAME = bytes.fromhex("550403")
"""The object identifier 2.5.4.3."""


def public_key(certificate: bytes) -> bytes:
    """The public key that a certificate is for, with its kind (RFC 5280, 4.1: `subjectPublicKeyInfo`).

    Raises ValueError or IndexError for what is no certificate.
    """
    tag, key = _parts(certificate)[5]
    if tag != SEQUENCE:
        raise ValueError("no public key where one is due")
    return key


def issuer(certificate: bytes) -> bytes:
    """The name of who signed a certificate, as it stands there. Raises as `public_key` does."""
    return _parts(certificate)[2][1]


def subject(certificate: bytes) -> bytes:
    """The name of whom a certificate is for, as it stands there. Raises as `public_key` does."""
    return _parts(certificate)[4][1]


def common_name(name: bytes) -> str:
    """The common name in a name as `issuer` and `subject` give it; empty where it has none. Raises ValueError."""
    for _, relative in fields(name):
        for _, pair in fields(relative):
            (_, kind), (_, value) = fields(pair)
            if kind == _COMMON_NAME:
                return value.decode()
    return ""


def _parts(certificate: bytes) -> list[tuple[int, bytes]]:
    """Serial number, algorithm, issuer, validity, subject, public key and what follows; without the version."""
    ((_, whole),) = fields(certificate)
    (_, body), *_ = fields(whole)
    parts = list(fields(body))
    return parts[1:] if parts[0][0] == _VERSION else parts


def fields(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each value, in order. Raises ValueError or IndexError where it is cut short."""
    at = 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(der[at : at + size]), at + size
        if at + length > len(der):
            raise ValueError("cut short")
        yield tag, der[at : at + length]
        at += length
