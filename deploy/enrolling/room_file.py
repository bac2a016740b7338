"""The first configuration of a room, for its Pi: plain TOML with this room's name and this hub's address in it."""

import re
from pathlib import Path

from deploy.folder.home import ROOT, Home
from deploy.pki.files import write

TEMPLATE = ROOT / "deploy" / "templates" / "room.toml"
NAME = "room.toml"
_OURS = "hall"
"""The room that the template is about."""


def write_to(folder: Path, home: Home, room: str) -> Path:
    """Write `room.toml`, which `deploy/install.sh room` puts in its place on the Pi; returns its path."""
    path = folder / NAME
    write(path, text(home, room).encode(), 0o600)
    return path


def text(home: Home, room: str) -> str:
    """The template, as it is for `room` of this home."""
    told = TEMPLATE.read_text()
    told = re.sub(rf'(?m)^(room|identity) = "{_OURS}"$', rf'\1 = "{room}"', told)
    told = re.sub(r'(?m)^name = "Hall"$', f'name = "{room.replace("-", " ").capitalize()}"', told)
    told = told.replace(f"/pki/{_OURS}/", f"/pki/{room}/").replace("{room}", room)
    told = re.sub(r'(?m)^host = ".*"$', f'host = "{home.settings.name}"', told)
    return re.sub(r"(?m)^port = \d+$", f"port = {home.settings.mqtt_port}", told)
