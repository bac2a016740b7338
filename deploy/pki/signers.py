"""Where a home's authorities are: with the signer, which then listens, or in a folder of the home's own user.

The second is the demo's way while nothing runs, and an older home's: whoever may read the folder may sign.
"""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from deploy.pki.files import write
from shared.running import installed
from shared.running.config import ConfigError
from shared.trust import signing, unix

USER = "homesystem-signer"
"""Whom a hub with units has for it."""
PORT_FILE = "broker-port"
_KEY = "device-ca.key"


def state(var: Path) -> Path:
    """The signer's folder in a home that runs it itself, under the home's own user."""
    return var / "signer"


def note_port(var: Path, port: int) -> None:
    """Where the broker is, for a signer that the home will run itself."""
    write(state(var) / PORT_FILE, b"%d\n" % port, 0o600)


def vault(var: Path) -> Path:
    """The authorities' keys in such a home; where an older version made it, among the certificates."""
    older = var / "pki" / "ca"
    return older if (older / _KEY).exists() else state(var) / "vault"


def move(var: Path) -> None:
    """Put an older home's keys where the signer that the home runs itself looks for them."""
    older, newer = var / "pki" / "ca", state(var) / "vault"
    if (older / _KEY).exists() and not newer.exists():
        state(var).mkdir(mode=0o700, exist_ok=True)
        older.rename(newer)


def socket(var: Path, *, demo: bool, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the home's signer listens, if it runs."""
    if given := environment.get("HOMESYSTEM_SIGNER"):
        return Path(given)
    own = demo or state(var).exists() or (var / "pki" / "ca").exists()
    return state(var) / "signer.sock" if own else signing.SOCKET


def reached(var: Path, *, demo: bool, user: str = USER) -> Path | None:
    """The signer's socket where one listens; None where whoever asks signs by itself.

    Raises ConfigError, and says what to start, where the keys are the signer's and it does not listen.
    """
    path = socket(var, demo=demo)
    if unix.listens(path):
        return path
    if not (vault(var) / _KEY).exists() and path == signing.SOCKET and _is_there(user):
        raise ConfigError(f"{path}: the signer does not answer; run: {installed.start_signer()}")
    return None


def _is_there(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
