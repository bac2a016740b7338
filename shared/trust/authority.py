"""Authorities as certificates in files: those which browsers of the household trust, and the fingerprints to compare.

While a web authority follows another, the file has both, so that a program which reads it believes the hub before and
after the change; browsers import one at a time.
"""

import hashlib
import re
import ssl
from datetime import datetime
from pathlib import Path

import msgspec

from shared.running.config import ConfigError
from shared.trust import der

FILE = "web-ca.crt"
"""Beside the certificate that one of them signed."""
PLAN = "web/following.json"
"""From there: which of them follows the other, and from when on the hub shows what it signed."""
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """Its own certificate, the SHA-256 fingerprint of that as systems show it (AB:CD:…), and what they list it as."""

    pem: str
    fingerprint: str
    name: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The file `PLAN`: the fingerprint of the web authority that follows, and when the hub changes over to it."""

    fingerprint: str
    changes_at: datetime


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """The web authority that is offered to browsers, and when the hub changes over to it."""

    authority: Authority
    changes_at: datetime


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a hub shows to browsers: `now` signed it, None where no authority of the home did; and which one follows."""

    now: Authority | None
    following: Following | None = None


def shown(certificate: Path) -> Shown:
    """Of the certificate that the hub shows: who signed it, and who will. Raises ConfigError where it cannot be read.

    A certificate says who signed it; the doctor looks whether that is so.
    """
    try:
        # People write what they like between the certificates of a file of their own.
        leaf = ders(certificate.read_text(encoding="latin-1"))[0]
        signed_by, own = der.issuer(leaf), der.subject(leaf)
    except (OSError, ValueError, IndexError) as error:
        raise ConfigError(f"{certificate}: is no certificate ({error}); run `homesystem renew`") from error
    beside = certificate.with_name(FILE)
    believed = read_all(beside) if beside.exists() and signed_by != own else ()
    now = next((each for each in believed if _subject(each) == signed_by), None)
    plan = _plan(certificate.parent / PLAN) if now is not None else None
    if now is None or plan is None or plan.fingerprint == now.fingerprint:
        return Shown(now=now)
    follows = next((each for each in believed if each.fingerprint == plan.fingerprint), None)
    return Shown(now=now, following=Following(authority=follows, changes_at=plan.changes_at) if follows else None)


def read(path: Path) -> Authority:
    """The first authority in a file. Raises ConfigError where it cannot be read or is none."""
    return read_all(path)[0]


def read_all(path: Path) -> tuple[Authority, ...]:
    """The authorities in a file, that which signs first. Raises ConfigError where it cannot be read or has none."""
    try:
        found = tuple(_authority(pem) for pem in pems(path.read_text(encoding="ascii")))
    except (OSError, ValueError, IndexError) as error:
        raise ConfigError(f"{path}: is no certificate ({error}); run `homesystem renew`") from error
    if not found:
        raise ConfigError(f"{path}: is no certificate; run `homesystem renew`")
    return found


def anchor(certificate: Path) -> bytes:
    """What a program has to trust, as PEM, so that it believes the server that shows `certificate` today.

    The home's own authority where that signed it; else the certificates of the file, which somebody else's authority
    signed. Nothing but certificates: people keep keys in such files, and this is shown to everybody.
    Raises ConfigError where it cannot be read, or has none.
    """
    if (own := shown(certificate).now) is not None:
        return own.pem.encode("ascii")
    found = _CERTIFICATE.findall(certificate.read_bytes())
    if not found:
        raise ConfigError(f"{certificate}: is no certificate; run `homesystem renew`")
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


def fingerprints_in(text: str) -> tuple[str, ...]:
    """Of every certificate in a text, as `fingerprint` gives it. Raises ValueError where one is none."""
    return tuple(fingerprint(certificate) for certificate in ders(text))


def fingerprint(der: bytes) -> str:
    """SHA-256 in pairs of capital hexadecimal digits, with colons between."""
    return ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())


def _authority(pem: str) -> Authority:
    certificate = ssl.PEM_cert_to_DER_cert(pem.strip())
    return Authority(pem=pem, fingerprint=fingerprint(certificate), name=der.common_name(der.subject(certificate)))


def _subject(authority: Authority) -> bytes:
    return der.subject(ssl.PEM_cert_to_DER_cert(authority.pem.strip()))


def _plan(path: Path) -> Plan | None:
    """None where none follows, and where it is spoilt: `homesystem renew` writes it anew from what the signer knows."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Plan)
    except (OSError, msgspec.DecodeError):
        return None
