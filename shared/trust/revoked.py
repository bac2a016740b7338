"""The home's revocation lists as a server of ours uses them: whose certificate was taken back, at each request.

Looked at beside the handshake and not in it: there a list past its end would refuse everyone, and a connection that
stands would never be asked again. What a list names stays revoked past its end, of which broker and doctor tell, too.
"""

import base64
import binascii
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from shared.running.config import ConfigError
from shared.running.log import facts
from shared.trust.der import INTEGER, SEQUENCE, fields

log = logging.getLogger(__name__)

NAME = "crl.pem"
"""Beside the authority's certificate, where `homesystem renew` and `revoke` put it."""
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_BEGIN, _END = b"-----BEGIN X509 CRL-----", b"-----END X509 CRL-----"


class Listed(NamedTuple):
    """Serial numbers that are revoked, and when the list ends, in seconds since 1970; None where it does not say."""

    serials: frozenset[int]
    ends: float | None


class RevocationList:
    """Of the authority whose certificate lies in `ca`; read anew when another list lies there.

    One that cannot be read is told of once, and the one before stays; where there was none, nobody counts as revoked.
    """

    def __init__(self, ca: Path, *, now: Callable[[], float] = time.time) -> None:
        self._path = ca.with_name(NAME)
        self._now = now
        self._listed = Listed(frozenset(), None)
        self._stamp: object = None
        self._told: object = None
        self._look()

    def holds(self, peer: dict[str, Any] | None) -> bool:
        """Whether a certificate, as `SSLSocket.getpeercert()` gives it, was taken back."""
        self._look()
        if self._listed.ends is not None and self._now() > self._listed.ends:
            self._tell(self._listed, "Revocation list has ended; what it names stays revoked", "run `homesystem renew`")
        return peer is not None and int(peer.get("serialNumber", "0"), 16) in self._listed.serials

    def ends(self) -> float | None:
        """When it ends, in seconds since 1970; None where there is none, or it does not say."""
        self._look()
        return self._listed.ends

    def _look(self) -> None:
        stamp = self._stamp_of_today()
        if stamp is not None and stamp == self._stamp:
            return
        try:
            self._listed = read(self._path)
        except ConfigError as error:
            self._tell(stamp or "missing", "Revocation list cannot be read; the one before stays", error)
        else:
            self._stamp = stamp

    def _stamp_of_today(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _tell(self, about: object, what: str, reason: object) -> None:
        if self._told != about:
            self._told = about
            log.error(what, extra=facts(reason=reason))


def read(path: Path) -> Listed:
    """The lists in PEM, one for each authority that is believed, as one that ends with the first of them.

    Raises ConfigError. Their signatures are not looked at: who may write the file is the hub itself.
    """
    try:
        armours = path.read_bytes().split(_BEGIN)[1:]
        bodies = [armour[: armour.index(_END)] for armour in armours]
        lists = [_parsed(base64.b64decode(b"".join(body.split()), validate=True)) for body in bodies]
        ends = [listed.ends for listed in lists if listed.ends is not None]
        if not lists:
            raise ValueError("it holds none")
        return Listed(frozenset().union(*(listed.serials for listed in lists)), min(ends, default=None))
    except (OSError, ValueError, IndexError, binascii.Error, StopIteration) as error:
        raise ConfigError(f"{path}: is no revocation list ({error}); run `homesystem renew`") from error


def _parsed(der: bytes) -> Listed:
    """RFC 5280, 5.1: in `tbsCertList` two times follow one another, then come the revoked ones, if there are any."""
    ((_, whole),) = fields(der)
    parts = list(fields(next(fields(whole))[1]))
    times = [place for place, (tag, _) in enumerate(parts) if tag in (_UTC_TIME, _GENERALIZED_TIME)]
    ends = _moment(*parts[times[1]]) if len(times) > 1 else None
    after = parts[times[-1] + 1 :]
    revoked = after[0][1] if after and after[0][0] == SEQUENCE else b""
    # A list, not a generator: there an entry that ends too early would be a RuntimeError (PEP 479).
    return Listed(frozenset([_serial(entry) for _, entry in fields(revoked)]), ends)


def _serial(entry: bytes) -> int:
    tag, number = next(fields(entry))
    if tag != INTEGER:
        raise ValueError("an entry without a serial number")
    return int.from_bytes(number, signed=True)


def _moment(tag: int, text: bytes) -> float:
    form = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text.decode("ascii"), form).replace(tzinfo=UTC).timestamp()
