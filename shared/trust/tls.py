"""TLS contexts, both ways, and what a TLS failure means in a sentence a person can act on.

TLS 1.2 or newer, our own authority only, mutual certificates (ASVS 5.0 12.1.1, 12.3.1 to 12.3.5).
"""

import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.running.config import EX_TEMPFAIL, Config, ConfigError
from shared.words.unreached import SENTENCES

ROLE = "urn:homesystem:role:"
"""Before a holder's role, where its certificate names it: room, client or service."""


class UnfitPairError(ConfigError):
    """A pair that cannot be used: somebody may be in the middle of renewing it, so it is worth another try."""

    exit_code = EX_TEMPFAIL


class Identity(Config, frozen=True):
    """The files of one identity: the authority it believes, its certificate and its key."""

    ca: Path
    certificate: Path
    key: Path


def client_context(identity: Identity) -> ssl.SSLContext:
    """For a connection to one of our own servers. Raises ConfigError where a file is missing or unfit."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _load(tls, identity)


def server_context(identity: Identity) -> ssl.SSLContext:
    """For an internal server: every client must show a certificate of our authority."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.verify_mode = ssl.CERT_REQUIRED
    return _load(tls, identity)


def web_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """For the gateway's HTTPS, which browsers without a certificate use."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    return load_pair(tls, certificate, key)


def common_name(peer: dict[str, tuple[tuple[tuple[str, str], ...], ...]] | None) -> str | None:
    """The common name of a peer's verified certificate, as `SSLSocket.getpeercert()` gives it."""
    for part in (peer or {}).get("subject", ()):
        for key, value in part:
            if key == "commonName":
                return value
    return None


def own_fault(identity: Identity, now: float) -> str | None:
    """What is wrong with our own certificate by the date `now` (seconds since 1970); None if nothing is."""
    _, ends = _dates(identity.certificate)
    if ends is not None and now > ends:
        return f"{identity.certificate} has expired: run `homesystem renew` on the hub"
    return not_yet(identity, now)


def not_yet(identity: Identity, now: float) -> str | None:
    """A sentence where our own certificate only begins after `now` (seconds since 1970): the clock is not set."""
    begins, _ = _dates(identity.certificate)
    if begins is None or now >= begins:
        return None
    date = datetime.fromtimestamp(now, tz=UTC)
    return (
        f"{identity.certificate} is not yet valid: the clock says {date:%Y-%m-%d %H:%M} UTC, which is wrong; "
        "wait for network time or set it"
    )


def names(certificate: Path) -> frozenset[str]:
    """The names and addresses that a certificate is for. Raises ConfigError where it cannot be read."""
    return frozenset(value for kind, value in _alternatives(certificate) if kind in {"DNS", "IP Address"})


def first_name(certificate: Path) -> str | None:
    """The first name that a certificate is for, addresses and wildcards apart. Raises ConfigError as `names` does."""
    return next((name for kind, name in _alternatives(certificate) if kind == "DNS" and "*" not in name), None)


def host_of(certificate: Path, ours: Iterable[str]) -> str | None:
    """Under which name whoever shows a certificate is reached: one of `ours` that it is for, if only by a wildcard,
    else the first that it names. Raises ConfigError as `names` does.
    """
    named = names(certificate)
    fits = (host for host in ours if {host, f"*.{host.partition('.')[2]}"} & named)
    return next(fits, None) or first_name(certificate)


def _alternatives(certificate: Path) -> tuple[tuple[str, str], ...]:
    return tuple(_decoded(certificate).get("subjectAltName", ()))


def _decoded(certificate: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = ssl._ssl._test_decode_cert(str(certificate))  # type: ignore[attr-defined]  # as for the dates
    except (AttributeError, ValueError, OSError) as error:
        raise ConfigError(_unfit(certificate, error)) from error
    return found


def serial_number(certificate: Path) -> str | None:
    """A certificate's serial number, in capital hexadecimal digits; None where it cannot be read."""
    try:
        # As for the dates.
        return str(ssl._ssl._test_decode_cert(str(certificate))["serialNumber"]).lstrip("0")  # type: ignore[attr-defined]
    except (AttributeError, KeyError, ValueError, OSError):
        return None


def ends_at(certificate: Path) -> float | None:
    """When a certificate ends, in seconds since 1970; None where that cannot be read."""
    return _dates(certificate)[1]


def _dates(certificate: Path) -> tuple[float, float] | tuple[None, None]:
    """When it begins and ends to be valid; None where that cannot be read."""
    try:
        # The standard library has no public way to read a certificate's dates; they are used for sentences, and for
        # waiting with a connection that could not be made.
        decoded = ssl._ssl._test_decode_cert(str(certificate))  # type: ignore[attr-defined]
        return ssl.cert_time_to_seconds(decoded["notBefore"]), ssl.cert_time_to_seconds(decoded["notAfter"])
    except (AttributeError, KeyError, ValueError, OSError):
        return None, None


def explain(error: BaseException | str) -> str:
    """What went wrong with a connection and what to do next."""
    text = str(error)
    plain = _plain(text)
    for sign, sentence in (_ALERTS | SENTENCES).items():
        if sign in plain:
            return f"{sentence} ({text})"
    return text or type(error).__name__


def why_refused(identity: Identity, error: BaseException | str, now: float) -> str:
    """What kept `identity` out of a server of ours by the date `now` (seconds since 1970), and what to do next.

    A server's alert speaks of certificates alike, of ours and of its own list: our own dates tell them apart.
    """
    text = str(error)
    if (own := own_fault(identity, now)) is not None:
        return f"{own} ({text})"
    plain = _plain(text)
    if _REVOKED in plain and (way_back := _way_back(identity.certificate)) is not None:
        return f"{way_back} ({text})"
    for sign, sentence in _ALERTS_OF_THE_LIST.items():
        if sign in plain:
            return f"{sentence} ({text})"
    return explain(error)


def _way_back(certificate: Path) -> str | None:
    """For a room or client, which its hub renews by name; None for a service, and where it cannot be read."""
    try:
        decoded = _decoded(certificate)
    except ConfigError:
        return None
    uris = (value for kind, value in decoded.get("subjectAltName", ()) if kind == "URI")
    name, role = common_name(decoded), next((uri.removeprefix(ROLE) for uri in uris if uri.startswith(ROLE)), None)
    if role not in ("room", "client"):
        return None
    return (
        f"our certificate was revoked: `homesystem {role} renew {name}` on the hub lets {name} in again, unless it was "
        f"revoked for good (`homesystem {role} revoke`): then add the {role} under another name"
    )


def _plain(text: str) -> str:
    """OpenSSL writes its reasons in capitals with underscores, and in words, by version."""
    return text.lower().replace("_", " ")


_REVOKED = "alert certificate revoked"
_ALERTS = {
    "alert certificate expired": "our certificate has expired: run `homesystem renew` on the hub",
    _REVOKED: "our certificate was revoked: run `homesystem renew` on the hub",
    "alert unknown ca": "the other side does not know our authority, or lacks its revocation list: "
    "check that the certificate is of this home, and run `homesystem renew` on the hub",
    "alert bad certificate": "the other side cannot use our certificate: its clock or ours is wrong",
    "alert handshake failure": "the other side has no certificate to show, or wants one of us: "
    "run `homesystem renew` on the hub",
}
"""What the other side says of us (RFC 8446, 6.2), as seen of OpenSSL and Mosquitto."""
_ALERTS_OF_THE_LIST = {
    "alert certificate expired": "the broker's revocation list has ended, so it refuses everyone: "
    "run `homesystem renew` on the hub",
    "alert bad certificate": "the broker's revocation list is not valid yet: its clock is wrong; "
    "wait for network time or set it",
}
"""The same where our own certificate is good: then it is the list that is not."""


def _load(tls: ssl.SSLContext, identity: Identity) -> ssl.SSLContext:
    try:
        tls.load_verify_locations(cafile=identity.ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(_unfit(identity.ca, error)) from error
    return load_pair(tls, identity.certificate, identity.key)


def load_pair(tls: ssl.SSLContext, certificate: Path, key: Path) -> ssl.SSLContext:
    """Show this certificate. Never on a context in use: where it fails, that is empty. Raises ConfigError."""
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    for path in (certificate, key):
        if not path.is_file():
            raise ConfigError(f"{path}: there is no such file; `homesystem init` or `homesystem renew` makes it")
    try:
        tls.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UnfitPairError(_unfit(certificate, error)) from error
    return tls


def _unfit(path: Path, error: Exception) -> str:
    return f"{path}: cannot be used ({error}); `homesystem renew` makes a new one"
