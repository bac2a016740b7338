"""A home whose parts live apart: the folder of each, what is handed out to it, and how it is called.

`parts/NAME` in containers, `services/NAME` under systemd, is all that a part sees of the home: its configuration, its
own keys and secrets, its databases. The keys of the others, and what is the hub's alone, lie in the home's other
folders, which no part has. That folder is there before there is a home (deploy/containers/place.sh; owning.py for users
of their own under systemd); in a terminal there is neither.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from deploy.pki.files import write

CONTAINED, SERVED = "parts", "services"
"""The folder of folders in a home in containers, and in one whose services have users of their own under systemd."""
KEYS = {
    "broker": ("broker", "broker-watch"),
    "auth": ("auth", "auth-server"),
    "alerts": ("alerts", "alerts-server"),
    "readings": ("recorder", "recorder-server"),
    "gateway": ("gateway", "web"),
}
"""The parts by the names under which they are called, and the keys that each has: no others are its business."""
SERVICES = tuple(part for part in KEYS if part != "broker")
"""Those that are ours."""
SECRETS = {
    "auth": ("password-pepper", "smtp-password"),
    "alerts": ("smtp-password",),
    "gateway": ("cookie-key",),
}
OWN = ("data", "mosquitto", "secrets", "pki")
"""The folders of a part; `secrets` may have more than is handed out, such as the address of another way of letters."""


def are_contained(var: Path) -> bool:
    """Whether each part of the home in `var`, made or not, runs in a container."""
    return os.path.isdir(var / CONTAINED)  # noqa: PTH112 - a folder that is closed to us is told where it is read


def are_served(var: Path) -> bool:
    """Whether each service of the home in `var`, made or not, has a user of its own."""
    return os.path.isdir(var / SERVED)  # noqa: PTH112 - as above


def are_apart(var: Path) -> bool:
    """Whether the parts of the home in `var`, made or not, have folders of their own, in whichever way."""
    return are_contained(var) or are_served(var)


def folder(var: Path, part: str) -> Path:
    """Where a part's files lie: a folder of its own, or the home's."""
    if are_contained(var):
        return var / CONTAINED / part
    return var / SERVED / part if are_served(var) else var


def state(part: str) -> str:
    """Which of its folders a part writes to."""
    return "mosquitto" if part == "broker" else "data"


def log(var: Path, service: str) -> Path:
    """Where a service has its logs, outside of containers: in a folder of its own where it has a user of its own."""
    return var / "log" / service if are_served(var) else var / "log"


def config(var: Path, service: str) -> Path:
    """A service's configuration."""
    return folder(var, service) / f"{service}.toml"


def databases(var: Path) -> list[Path]:
    """Every folder with databases."""
    return [folder(var, part) / "data" for part in (KEYS if are_apart(var) else ("auth",)) if state(part) == "data"]


def states(var: Path) -> list[Path]:
    """Every folder that a part writes to."""
    return list(dict.fromkeys(folder(var, part) / state(part) for part in KEYS))


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


def given_back(var: Path) -> str:
    """The command that gives all of a home back to its user, and to those of its services what is theirs."""
    more = "; sudo homesystem repair" if are_served(var) else ""
    return f"sudo chown -R --reference={var} {var}{more}"


def remains(var: Path) -> Iterator[str]:
    """What a home in the making leaves in the folders of its parts, from the home's folder.

    Of users of their own the folders stay, as those are not ours to make.
    """
    if are_served(var):
        for part in KEYS:
            for name in OWN:
                found = sorted((folder(var, part) / name).glob("*"))
                yield from (str(path.relative_to(var)) for path in found)
            yield from (f"{SERVED}/{part}/{name}" for name in (f"{part}.toml", "mosquitto.conf"))
        return
    for part in KEYS:
        yield from (f"{CONTAINED}/{part}/{name}" for name in (*OWN, f"{part}.toml", "mosquitto.conf"))


def _wanted(var: Path, part: str) -> Iterator[tuple[Path, Path]]:
    place, pki = folder(var, part), var / "pki"
    for path in pki.rglob("*"):
        is_public = path.suffix in (".crt", ".pem", ".json")
        if path.is_file() and (is_public or (path.suffix == ".key" and path.stem in KEYS[part])):
            yield place / "pki" / path.relative_to(pki), path
    for name in SECRETS.get(part, ()):
        if (var / "secrets" / name).exists():
            yield place / "secrets" / name, var / "secrets" / name
