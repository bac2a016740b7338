"""How the code came to this machine, as a checkout or as a Debian package: so that advice is what one can type here."""

import os
from collections.abc import Mapping
from pathlib import Path

PACKAGED = Path("/usr/lib/homesystem")
"""Where the Debian packages have the code."""
IMAGE = "HOMESYSTEM_IMAGE"
"""The variable that is set where we run in a container of our image."""
CODE = Path(__file__).resolve().parents[2]


def again(kind: str, code: Path = CODE) -> str:
    """The command that installs once more what a machine of this kind, `hub` or `room`, needs."""
    if code == PACKAGED:
        return f"sudo apt-get install --reinstall {_package(code)}"
    return f"sudo /opt/homesystem/deploy/install.sh {kind}"


def start_signer(environment: Mapping[str, str] = os.environ) -> str:
    """The command that starts the signer."""
    # The image says so of itself.
    return "docker compose up -d signer" if environment.get(IMAGE) else "sudo systemctl start homesystem-signer"


def lgpio(code: Path = CODE) -> str:
    """The command after which a room can have pins = "rpi"."""
    return "sudo apt-get install python3-lgpio" if code == PACKAGED else again("room", code)


def _package(code: Path) -> str:
    return "home-system" if (code / "gateway").is_dir() else "home-system-agent"
