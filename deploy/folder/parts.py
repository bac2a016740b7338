"""A home whose parts live apart, in containers: the folder of each, what is handed out to it, and how it is called.

`parts/NAME` is all that a part sees of the home: its configuration, its own keys and secrets, its databases. The keys
of the others, and what is the hub's alone, lie in the home's other folders, which no part has. The folder `parts` is
there before there is a home (deploy/containers/place.sh); under systemd, and in a terminal, there is none.
"""

from collections.abc import Iterator
from pathlib import Path

from deploy.pki.files import write

FOLDER = "parts"
KEYS = {
    "broker": ("broker", "broker-watch"),
    "auth": ("auth", "auth-server"),
    "alerts": ("alerts", "alerts-server"),
    "readings": ("recorder", "recorder-server"),
    "gateway": ("gateway", "web"),
}
"""The parts by the names under which they are called, and the keys that each has: no others are its business."""
SECRETS = {
    "auth": ("password-pepper", "smtp-password"),
    "alerts": ("smtp-password",),
    "gateway": ("cookie-key",),
}
OWN = ("data", "mosquitto", "secrets", "pki")
"""The folders of a part; `secrets` may have more than is handed out, such as the address of another way of letters."""


def are_apart(var: Path) -> bool:
    """Whether the parts of the home in `var`, made or not, live apart."""
    return (var / FOLDER).is_dir()


def folder(var: Path, part: str) -> Path:
    """Where a part's files lie: a folder of its own, or the home's."""
    return var / FOLDER / part if are_apart(var) else var


def config(var: Path, service: str) -> Path:
    """A service's configuration."""
    return folder(var, service) / f"{service}.toml"


def databases(var: Path) -> list[Path]:
    """Every folder with databases."""
    return [folder(var, part) / "data" for part in (KEYS if are_apart(var) else ("auth",))]


def hand_out(var: Path) -> None:
    """Give each part what it is to have of certificates, keys and secrets, where that changed. To be called in a turn.

    Certificates are public, and go to all; a key is written before its certificate, as a pair is made.
    """
    if not are_apart(var):
        return
    for part in KEYS:
        wanted = dict(_wanted(var, part))
        place = folder(var, part)
        for path, source in sorted(wanted.items(), key=lambda each: each[0].suffix != ".key"):
            content = source.read_bytes()
            if not path.exists() or path.read_bytes() != content:
                write(path, content, 0o600 if path.suffix in ("", ".key") else 0o644)
        for left in [path for path in (place / "pki").rglob("*") if path.is_file() and path not in wanted]:
            left.unlink()


def remains() -> Iterator[str]:
    """What a home in the making leaves in the folders of its parts, from the home's folder."""
    for part in KEYS:
        yield from (f"{FOLDER}/{part}/{name}" for name in (*OWN, f"{part}.toml", "mosquitto.conf"))


def _wanted(var: Path, part: str) -> Iterator[tuple[Path, Path]]:
    place, pki = folder(var, part), var / "pki"
    for path in pki.rglob("*"):
        is_public = path.suffix in (".crt", ".pem", ".json")
        if path.is_file() and (is_public or (path.suffix == ".key" and path.stem in KEYS[part])):
            yield place / "pki" / path.relative_to(pki), path
    for name in SECRETS.get(part, ()):
        if (var / "secrets" / name).exists():
            yield place / "secrets" / name, var / "secrets" / name
