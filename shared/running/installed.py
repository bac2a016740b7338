"""How the code came to this machine, as a checkout or as a Debian package: so that advice is what one can type here."""

from pathlib import Path

PACKAGED = Path("/usr/lib/homesystem")
"""Where the Debian packages have the code."""
CODE = Path(__file__).resolve().parents[2]


def again(kind: str, code: Path = CODE) -> str:
    """The command that installs once more what a machine of this kind, `hub` or `room`, needs."""
    if code == PACKAGED:
        return f"sudo apt-get install --reinstall {_package(code)}"
    return f"sudo /opt/homesystem/deploy/install.sh {kind}"


def lgpio(code: Path = CODE) -> str:
    """The command after which a room can have pins = "rpi"."""
    return "sudo apt-get install python3-lgpio" if code == PACKAGED else again("room", code)


def _package(code: Path) -> str:
    return "home-system" if (code / "gateway").is_dir() else "home-system-agent"
