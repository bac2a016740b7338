"""What runs in the container of each part, pure: what its unit says under systemd."""

import sys
from pathlib import Path

from deploy.folder import parts

SIGNERS = Path("/var/lib/homesystem-signer")
_MODULES = {
    "auth": "auth_service",
    "alerts": "alert_service",
    "readings": "alert_service.readings",
    "gateway": "gateway",
}
PARTS = ("signer", "broker", *_MODULES, "hub", "backup", "agent")


def command(part: str, var: Path, room: str = "") -> list[str]:
    """The words of a part's command. `room` is that of an agent. Raises KeyError where nothing is called so."""
    python = [sys.executable, "-P", "-m"]
    match part:
        case "signer":
            return [*python, "deploy.signer", "--state", str(SIGNERS), "--for", "homesystem", "--broker", "broker"]
        case "broker":
            place = parts.folder(var, part)
            return [*python, "deploy.broker_watch", str(place / "mosquitto.conf"), str(place / "mosquitto")]
        case "hub" | "backup":
            return [*python, "deploy.containers.upkeep", part]
        case "agent":
            return [*python, "device_agents", "--config", str(var / "agents" / f"{room}.toml")]
    return [*python, _MODULES[part], "--config", str(parts.config(var, part))]
