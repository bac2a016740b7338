"""A room's first file: right as it stands and with all that is commented out, and about the room that was asked for."""

import re
from pathlib import Path

import msgspec
import pytest

from deploy.enrolling import room_file
from deploy.folder import home as homes
from device_agents import complaints
from device_agents.joining.room_file import TEMPLATE


@pytest.fixture
def home(tmp_path: Path) -> homes.Home:
    return homes.Home(tmp_path, homes.Settings(name="hub.home.arpa", mqtt_port=18883))


def test_it_is_right_and_names_what_room_add_writes(home: homes.Home, tmp_path: Path) -> None:
    path = room_file.write_to(tmp_path, home, "living-room")
    room = complaints.read(path)
    assert (room.room, room.name, room.pins) == ("living-room", "Living room", "gpiod")
    assert (room.broker.identity, room.broker.host, room.broker.port) == ("living-room", "hub.home.arpa", 18883)
    pki = Path("/var/lib/homesystem/pki/living-room")
    assert room.broker.tls.ca == pki / "ca.crt"
    assert room.broker.tls.certificate == pki / "room.crt"
    assert room.broker.tls.key == pki / "room.key"
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_says_nothing_of_another_room(home: homes.Home) -> None:
    assert "hall" not in re.sub(r"(?m)^#.*$", "", room_file.text(home, "attic"))
    assert "{room}" not in room_file.text(home, "attic")


def test_every_device_that_is_commented_out_is_right_too(home: homes.Home, tmp_path: Path) -> None:
    whole = re.sub(r"(?m)^# (?=\[\[|[a-z_]+ = |# )", "", room_file.text(home, "attic"))
    (tmp_path / "room.toml").write_text(whole)
    kinds = {device.kind for device in complaints.read(tmp_path / "room.toml").devices}
    assert len(kinds) == 7


def test_it_is_plain_toml() -> None:
    assert msgspec.toml.decode(TEMPLATE.read_bytes())["room"] == "hall"
