"""The little of DER (ITU-T X.690) that certificates and lists are read with where no library for them is at hand."""

from collections.abc import Iterator

INTEGER, SEQUENCE = 0x02, 0x30
_VERSION = 0xA0


def public_key(certificate: bytes) -> bytes:
    """The public key that a certificate is for, with its kind (RFC 5280, 4.1: `subjectPublicKeyInfo`).

    Raises ValueError or IndexError for what is no certificate.
    """
    ((_, whole),) = fields(certificate)
    parts = list(fields(next(fields(whole))[1]))
    # Serial number, algorithm, issuer, validity and subject come before it, and the version before all.
    tag, key = parts[6 if parts[0][0] == _VERSION else 5]
    if tag != SEQUENCE:
        raise ValueError("no public key where one is due")
    return key


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
