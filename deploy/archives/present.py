"""What a home that is there knows, and an older backup of it does not: who was revoked, and whether it is locked down.

`python -m deploy.archives.present FOLDER` prints what its accounts say; a restore runs it as the folder's own user
with the home stopped, and a backup beside the services that run.
"""

import asyncio
import contextlib
import datetime as dt
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from deploy.archives.backup import HOME, SIGNER, parts, run_as_owner
from deploy.folder import parts as apart
from deploy.pki import signers
from deploy.pki.index import Index, Issued
from deploy.pki.leaf import DEVICE_CA
from shared.keeping.lean import without_orm
from shared.running.config import ConfigError
from shared.words.problem import HomeError

ASKED_SECONDS = 120
"""A database that has to be brought up to date first takes some seconds."""


class Accounts(msgspec.Struct, frozen=True):
    """What the accounts say."""

    revoked: tuple[str, ...] = ()
    locked_down: bool = False


class Present(NamedTuple):
    """`authority`: the certificate (PEM) of the device CA, which tells one home from another; `issued`: its index.

    `accounts`: None where they cannot be read, which may be why somebody restores.
    """

    authority: bytes
    issued: list[Issued]
    accounts: Accounts | None


def look(var: Path, now: dt.datetime) -> Present | None:
    """What the home in `var` knows; None where `read` finds none."""
    try:
        return read(var, now)
    except ConfigError:
        return None


def read(var: Path, now: dt.datetime) -> Present:
    """What the home in `var` knows.

    Raises ConfigError, with the reason, where there is none or its index of certificates cannot be read.
    """
    folders = parts(var)
    index = vault_of(folders) / "issued.json"
    try:
        issued, authority = Index(index, now).read(), authority_of(folders).read_bytes()
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}") from error
    if not issued:
        raise ConfigError(f"{index}: names no certificate")
    return Present(authority, issued, _asked(var))


def vault_of(folders: Mapping[str, Path]) -> Path:
    """Where the authorities are, by a home's folders."""
    return folders[SIGNER] / "vault" if SIGNER in folders else signers.vault(folders[HOME])


def authority_of(folders: Mapping[str, Path]) -> Path:
    """The device CA's certificate; older versions kept it among the others alone."""
    kept = vault_of(folders) / f"{DEVICE_CA}.crt"
    return kept if kept.exists() else folders[HOME] / "pki" / kept.name


def known(issued: Iterable[Issued]) -> dict[str, Issued]:
    """The rooms and clients that an index has, by name: the newest line of each."""
    return {line.name: line for line in issued if line.authority == DEVICE_CA and line.role in ("room", "client")}


def gone(issued: Iterable[Issued]) -> set[str]:
    """Those of them that were taken back: as older versions noted it, too."""
    return {name for name, line in known(issued).items() if line.gone or line.revoked_at is not None}


def _asked(var: Path) -> Accounts | None:
    try:
        said = run_as_owner("deploy.archives.present", var)
        said.check_returncode()
        return msgspec.json.decode(said.stdout, type=Accounts)
    except (subprocess.SubprocessError, msgspec.DecodeError, UnicodeDecodeError):
        return None


@without_orm()
def main() -> int:
    """1 where the accounts cannot be read.

    Ends by itself where it hangs: who began it may not be allowed to end it, as the root of a backup's unit is not.
    """
    signal.alarm(ASKED_SECONDS)
    from auth_service import config
    from auth_service.hub import restored

    with contextlib.suppress(HomeError, ConfigError, OSError):
        rows, locked_down = asyncio.run(restored.read(config.read(apart.config(Path(sys.argv[1]), "auth")).database))
        told = Accounts(tuple(row.name for row in rows if row.revoked_at is not None), locked_down)
        print(msgspec.json.encode(told).decode())
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
