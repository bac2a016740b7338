"""Who was revoked, as a small file beside the archives: an archive is of a day, and a Pi may be stolen the day after.

It is written whenever somebody is revoked and with every backup, sealed like these, and carries a code by a key of the
home that is in every archive as well (HMAC-SHA-256): whoever can write at the target can neither read it, nor add a
name to it or drop one. They can put an older one back, which is found where it is older than the archive.
"""

import datetime as dt
import hashlib
import hmac
import os
from pathlib import Path

import msgspec

from deploy.archives import present, sealing
from deploy.archives.targets import Target
from deploy.pki.index import Issued
from shared.running.config import ConfigError, read_secret
from shared.words.problem import HomeError

NAME = f"homesystem-revoked{sealing.SUFFIX}"
SECRET = "backup-list-key"  # noqa: S105 - the name of its file
MOST_BYTES = 64 * 2**20


class Revoked(msgspec.Struct, frozen=True):
    """`names`: the rooms and clients that were revoked; `issued`: the device authority's index, by which certificates
    that were replaced stay refused as well.
    """

    at: dt.datetime
    names: tuple[str, ...]
    issued: tuple[Issued, ...]


def gather(var: Path, now: dt.datetime) -> Revoked:
    """What the home in `var` knows. Raises HomeError("no-proof"), and why, where its index cannot be read."""
    try:
        found = present.read(var, now)
    except ConfigError as error:
        hint = "" if os.geteuid() == 0 else "; run this with sudo"
        raise HomeError("no-proof", f"Who was revoked cannot be read: {error}{hint}.") from error
    names = present.gone(found.issued) | set(found.accounts.revoked if found.accounts is not None else ())
    return Revoked(now, tuple(sorted(names)), tuple(found.issued))


def sealed(told: Revoked, secret: bytes, recipient: str) -> bytes:
    """As it lies at the target."""
    body = msgspec.json.encode(told)
    return sealing.seal(body + b"\n" + _code(body, secret), recipient)


def opened(content: bytes, secret: bytes) -> Revoked:
    """What is in one whose seal is open. Raises HomeError("invalid-value") where it is not this home's own word."""
    body, _, code = content.rpartition(b"\n")
    if not hmac.compare_digest(code, _code(body, secret)):
        raise HomeError("invalid-value", "it is not of this home, or somebody changed it")
    try:
        return msgspec.json.decode(body, type=Revoked)
    except msgspec.MsgspecError as error:
        raise HomeError("invalid-value", f"it cannot be read: {error}") from error


def secret_of(home: Path) -> bytes:
    """The home's key for it; `home` may be the unpacked one of an archive. Raises ConfigError where it has none."""
    path = home / "secrets" / SECRET
    if not path.exists():
        raise ConfigError(f"{path}: is not there; `homesystem repair` makes it")
    return read_secret(path)


def carry(var: Path, target: Target, recipient: str, now: dt.datetime) -> None:
    """Write it at the target, as of now. Raises HomeError("no-proof"), ConfigError."""
    target.write(NAME, sealed(gather(var, now), secret_of(var), recipient))


def _code(body: bytes, secret: bytes) -> bytes:
    return hmac.new(secret, body, hashlib.sha256).hexdigest().encode()
