"""The first configuration of a room, for its Pi, of which the hub knows no board."""

from pathlib import Path

from deploy.folder.home import Home
from deploy.pki.files import write
from device_agents.joining.room_file import NAME
from device_agents.joining.room_file import text as text_for


def write_to(folder: Path, home: Home, room: str) -> Path:
    """Write `room.toml`, which `deploy/install.sh room` puts in its place on the Pi; returns its path."""
    path = folder / NAME
    write(path, text(home, room).encode(), 0o600)
    return path


def text(home: Home, room: str) -> str:
    """The template, as it is for `room` of this home."""
    return text_for(room, home.settings.name, home.settings.mqtt_port)
