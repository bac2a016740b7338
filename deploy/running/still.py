"""Whether a home stands still, for what may only be done while nothing of it runs, and who would have to stop it."""

import socket
from pathlib import Path

from deploy.archives.plan import INSTALLED
from deploy.folder import home as homes
from deploy.folder import parts
from deploy.running import up
from shared.running.config import load
from shared.words.problem import HomeError

SYSTEMD = Path("/run/systemd/system")
_SECONDS = 2.0


def is_of_systemd(var: Path) -> bool:
    """Whether systemd runs the home in `var` on this machine, so that it can be stopped from here."""
    return var == INSTALLED and SYSTEMD.exists() and not parts.are_contained(var)


def check(var: Path) -> None:
    """Raises HomeError("invalid-value") where one of the home's ports is in use. Without a home nothing runs."""
    if not (var / "home.toml").exists():
        return
    settings = load(homes.Settings, var / "home.toml")
    if parts.are_contained(var):
        if answering := [part for part in parts.KEYS if _answers(part, settings)]:
            raise HomeError("invalid-value", f"The home runs ({', '.join(answering)}): first docker compose stop.")
        return
    taken = [str(port) for port in settings.ports.values() if not up.port_is_free(homes.HERE, port)]
    if taken:
        raise HomeError("invalid-value", f"The home runs (ports {', '.join(taken)} are in use): stop it first.")


def _answers(part: str, settings: homes.Settings) -> bool:
    """Whether something listens in a part's container; of one that does not run nobody knows the name."""
    ports = {"broker": settings.mqtt_port, "gateway": settings.https_port}
    try:
        socket.create_connection((part, ports.get(part) or getattr(settings, f"{part}_port")), _SECONDS).close()
    except OSError:
        return False
    return True
