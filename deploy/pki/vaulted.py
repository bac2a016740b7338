"""One authority in its vault: its key, and its certificate beside it, which is written last."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.pki import building, reading
from deploy.pki.building import Key
from deploy.pki.files import write
from deploy.pki.leaf import subject
from shared.running.config import ConfigError

CA_DAYS = 3650


def make(vault: Path, stem: str, name: str, now: dt.datetime, *, hosts: Iterable[str] | None = None) -> None:
    """Make one as `stem.key` and `stem.crt`, listed as `name`; with `hosts` it may vouch for those alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    begins, ends = now - building.SKEW, now + dt.timedelta(days=CA_DAYS)
    made = building.authority(key, subject(name), begins=begins, ends=ends, hosts=hosts)
    write(vault / f"{stem}.key", building.private_bytes(key), 0o600)
    write(vault / f"{stem}.crt", building.pem(made), 0o644)


def pair(vault: Path, stem: str) -> tuple[Key, x509.Certificate]:
    """Its key and its certificate. Raises ConfigError where one cannot be read."""
    path = vault / f"{stem}.key"
    try:
        return reading.private_key(path), reading.certificate(vault / f"{stem}.crt")
    except ConfigError as error:
        cause = error.__cause__ or error
        raise ConfigError(f"{path}: the authority cannot be used ({cause}); restore it from a backup") from error
