"""What a home that is there knows, and an older backup of it does not: who was revoked, and whether it is locked down.

`python -m deploy.safekeeping.present FOLDER` prints what its accounts say; a restore runs it as the folder's own user,
with the home stopped.
"""

import asyncio
import contextlib
import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec

from deploy.pki import signers
from deploy.pki.index import Index, Issued
from deploy.pki.leaf import DEVICE_CA
from deploy.safekeeping.backup import HOME, SIGNER, as_owner, parts
from shared.running.config import ConfigError
from shared.words.problem import HomeError


class Accounts(msgspec.Struct, frozen=True):
    """What the accounts say."""

    revoked: tuple[str, ...] = ()
    locked_down: bool = False


class Present(NamedTuple):
    """`authority`: the certificate (PEM) of the device CA, which tells one home from another; `issued`: its index."""

    authority: bytes
    issued: list[Issued]
    accounts: Accounts


def look(var: Path, now: dt.datetime) -> Present | None:
    """What the home in `var` knows; None where there is none, or its index of certificates cannot be read.

    Accounts that cannot be read, which may be why somebody restores, leave what the index alone tells.
    """
    vault = vault_of(parts(var))
    try:
        authority, index = (vault / f"{DEVICE_CA}.crt").read_bytes(), Index(vault / "issued.json", now)
        if not index.path.exists():
            return None
        return Present(authority, index.read(), _asked(var))
    except (OSError, ConfigError):
        return None


def vault_of(folders: dict[str, Path]) -> Path:
    """Where the authorities are, by a home's folders."""
    return folders[SIGNER] / "vault" if SIGNER in folders else signers.vault(folders[HOME])


def _asked(var: Path) -> Accounts:
    command = [sys.executable, "-m", "deploy.safekeeping.present", str(var)]
    said = subprocess.run(command, cwd="/", capture_output=True, check=False, **as_owner(var))  # noqa: S603 - ourselves
    try:
        return msgspec.json.decode(said.stdout, type=Accounts)
    except msgspec.DecodeError:
        return Accounts()


async def _accounts(var: Path) -> Accounts:
    from auth_service import config
    from auth_service.hub import restored

    async with restored.opened(config.read(var / "auth.toml"), now=lambda: dt.datetime.now(dt.UTC)) as accounts:
        revoked = [row.name for row in await accounts.identities() if row.revoked_at is not None]
        return Accounts(tuple(revoked), await accounts.is_locked_down())


def main() -> int:
    """1 where the accounts cannot be read."""
    with contextlib.suppress(HomeError, ConfigError, OSError):
        print(msgspec.json.encode(asyncio.run(_accounts(Path(sys.argv[1])))).decode())
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
