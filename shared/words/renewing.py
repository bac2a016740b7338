"""The messages by which a room gets its next certificate, and learns which authorities are believed."""

from typing import Annotated, ClassVar

import msgspec

from shared.words.messages import Message, Pem

AUTHORITIES_MOST = 4
"""One, and a second where a device authority follows another."""
Fingerprint = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""SHA-256 of an authority's certificate."""


class Csr(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A room asks for its next certificate, whose the topic says; of the request (PKCS #10) only the key counts.

    `follows`: with the answer it takes authorities that those whom it believes vouch for. Older agents cannot.
    """

    csr: Pem
    follows: bool = False


class Certificate(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What the home's authority signed for a room's waiting key.

    `authorities` are all that are to be believed from now on, none where nothing is said of them; `voucher` is the word
    of one of them for the key of another, a certificate of that under the same name.
    """

    certificate: Pem
    authorities: Annotated[tuple[Pem, ...], msgspec.Meta(max_length=AUTHORITIES_MOST)] = ()
    voucher: Pem | None = None


class Authorities(Message, frozen=True, kw_only=True):
    """Which device authorities are believed, and which of them signs for rooms: whoever is behind asks for more."""

    RETAIN: ClassVar[bool] = True

    signs: Fingerprint
    believed: Annotated[tuple[Fingerprint, ...], msgspec.Meta(max_length=AUTHORITIES_MOST)]
