"""Which key a signing request is about, pure: enough of its form (PKCS #10) to tell one machine's key from another's.

Whether the request is sound the signer sees; it alone has what it takes, and signs for nothing else.
"""

import base64
import binascii
import hashlib
import re
from typing import NamedTuple

from shared.words.problem import HomeError

_PEM = re.compile(
    r"\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END \1?CERTIFICATE REQUEST-----\s*"
)
_SEQUENCE, _INTEGER = 0x30, 0x02
_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
"""How the public key of a P-256 key begins (RFC 5480), before the point, which is 65 bytes long."""
_LENGTH = len(_P256) + 65


class _Part(NamedTuple):
    """One value of DER: its tag, where what is in it begins, and where it ends."""

    tag: int
    inside: int
    end: int


def fingerprint(csr: str) -> str:
    """SHA-256 of the public key of a request (PEM), as hexadecimal digits.

    `openssl pkey -in room.key -pubout -outform DER | sha256sum` says the same. Raises HomeError("invalid-value").
    """
    found = _PEM.fullmatch(csr)
    try:
        public = _public(base64.b64decode("".join(found[2].split()), validate=True) if found is not None else b"")
    except (binascii.Error, ValueError, IndexError) as error:
        raise HomeError("invalid-value", "This is no signing request; `openssl req -new` makes one.") from error
    if len(public) != _LENGTH or not public.startswith(_P256):
        raise HomeError("invalid-value", "The key of a signing request must be on the curve P-256 (prime256v1).")
    return hashlib.sha256(public).hexdigest()


def _public(der: bytes) -> bytes:
    """The request's third part: request, its information, and in that version, subject and key."""
    info = _part(der, _part(der, 0, _SEQUENCE).inside, _SEQUENCE)
    version = _part(der, info.inside, _INTEGER)
    subject = _part(der, version.end, _SEQUENCE)
    key = _part(der, subject.end, _SEQUENCE)
    if key.end > info.end:
        raise ValueError("the key does not lie in the request")
    return der[subject.end : key.end]


def _part(der: bytes, at: int, tag: int) -> _Part:
    """Raises ValueError or IndexError where no value of that tag lies there whole."""
    length, inside = der[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        length, inside = int.from_bytes(der[inside : inside + count], "big"), inside + count
    if der[at] != tag or inside + length > len(der):
        raise ValueError("another value was expected, or more of it")
    return _Part(tag, inside, inside + length)
