"""A room's file: everything that is wrong with it is told at once, with what would be right."""

from pathlib import Path

import jinja2
import pytest

from device_agents import config
from device_agents.devices import build
from device_agents.pins import PinUse
from shared.config import ConfigError
from shared.names import Kind

TEMPLATES = Path(__file__).resolve().parents[3] / "deploy" / "templates"
HEAD = """
room = "hall"
name = "Hall"
pins = "simulated"
sim_dir = "/tmp/sim"
data = "/tmp/data"
[broker]
identity = "hall"
[broker.tls]
ca = "/tmp/ca.crt"
certificate = "/tmp/hall.crt"
key = "/tmp/hall.key"
"""
LAMP = '[[devices]]\nid = "lamp"\nname = "Lamp"\nkind = "switch"\npin = 17\n'


def read(folder: Path, text: str) -> config.RoomConfig:
    path = folder / "hall.toml"
    path.write_text(text)
    return config.read(path)


def test_a_room_that_is_right_is_read(tmp_path: Path) -> None:
    room = read(tmp_path, HEAD + LAMP)
    assert (room.room, room.devices[0].id, room.broker.port) == ("hall", "lamp", 8883)
    assert config.pin_uses(room) == (PinUse(pin=17, device="lamp", output=True),)


@pytest.mark.parametrize("room", ["hall", "kitchen", "garage"])
def test_the_demo_rooms_are_right(tmp_path: Path, room: str) -> None:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined)
    template = environment.get_template(f"agents/{room}.toml.j2")
    made = read(tmp_path, template.render(var="/home/of/var", host="127.0.0.1", mqtt_port=18883))
    assert (made.room, made.broker.port) == (room, 18883)
    found = {
        device.id: (device.kind.value, device.critical, device.confirm, device.max_on is not None)
        for device in made.devices
    }
    assert (
        found
        == {
            "hall": {
                "lamp": ("switch", False, False, False),
                "front-door": ("lock", True, True, False),
                "door-contact": ("contact", False, False, False),
                "doorbell": ("button", False, False, False),
            },
            "kitchen": {
                "lamp": ("dimmer", False, False, False),
                "blind": ("cover", False, False, False),
                "kettle": ("switch", False, False, True),
            },
            "garage": {
                "door": ("pulse", True, True, False),
                "door-contact": ("contact", False, False, False),
                "light": ("switch", False, False, False),
            },
        }[room]
    )
    for device in made.devices:
        build.description(device)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('room = "hall"', 'room = "gateway"', "room: 'gateway' is no name for a room"),
        ('room = "hall"', 'room = "Hall"', "room: 'Hall' is no name for a room"),
        ('identity = "hall"', 'identity = "garage"', "broker.identity: is 'garage'; it must be the room's own name"),
        ('sim_dir = "/tmp/sim"', "", "sim_dir: simulated pins need a folder"),
        ("pin = 17", "pin = 99", "there is no pin 99 (lamp)"),
        ("pin = 17", "pin = 2", "pin 2 (lamp) carries I²C data"),
        ('pins = "simulated"', 'pins = "gpio"', "Invalid enum value 'gpio'"),
        ("pin = 17", "", "devices[0].pin: is missing"),
        ('id = "lamp"', 'id = "The Lamp"', "devices[0].id: 'The Lamp' is no id"),
        ('kind = "switch"', 'kind = "temperature"', "devices[0].kind: temperature is not built into this agent yet"),
        ('kind = "switch"', 'kind = "swich"', "Invalid enum value 'swich'"),
        ('kind = "switch"', 'kind = "cover"', "devices[0].travel_time: is missing"),
        ('kind = "switch"', 'kind = "cover"', "devices[0].pins: is missing"),
        ('kind = "switch"', 'kind = "cover"', "devices[0].pin: a cover has no such setting"),
        ("pin = 17", "pin = 17\npulse_ms = 500", "devices[0].pulse_ms: a switch has no such setting"),
        ("pin = 17", 'pin = 17\nmax_on = 5\nboot = "on"', "devices[0].boot: 'on' would lengthen max_on"),
        ("pin = 17", 'pin = 17\non_link_loss = "locked"', "devices[0].on_link_loss: a switch cannot do 'locked'"),
        ("pin = 17", 'pin = 17\nsafe_actions = ["lock"]', "devices[0].safe_actions: a switch has no action lock"),
        ("pin = 17", "pin = 17\nmax_onn = 5", "did you mean `max_on`?"),
        ('kind = "switch"', 'kind = "lock"\nboot = "on"', "devices[0].boot: a lock cannot start 'on'"),
        ('kind = "switch"', 'kind = "lock"\nboot = "restore"', "devices[0].boot: a lock cannot start 'restore'"),
        ('kind = "switch"', 'kind = "pulse"\nboot = "restore"', "devices[0].boot: a pulse cannot start 'restore'"),
        ('kind = "switch"', 'kind = "contact"\nconfirm = true', "devices[0].confirm: a contact has no such setting"),
        ("[[devices]]", "[[device]]", "device: there is no such setting; did you mean `devices`?"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    text = HEAD + LAMP
    assert old in text
    with pytest.raises(ConfigError) as told:
        read(tmp_path, text.replace(old, new))
    assert complaint in str(told.value)
    assert "hall.toml" in str(told.value)


def test_pins_that_the_owner_calls_free_are_right(tmp_path: Path) -> None:
    room = read(tmp_path, "free_pins = [2]\n" + HEAD + LAMP.replace("17", "2"))
    assert room.free_pins == (2,)


def test_no_devices_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"devices: there are 0; a room has 1 to 64"):
        read(tmp_path, "devices = []\n" + HEAD)


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        read(tmp_path, HEAD + LAMP + LAMP.replace("switch", "motion").replace("17", "17\nhold = 3\nmax_on = 4"))
    lines = str(told.value).splitlines()
    assert len(lines) == 3
    assert "devices[1].max_on" in lines[0]
    assert "'lamp' is there 2 times" in lines[1]
    assert "pin 17 is used by lamp and lamp" in lines[2]


def test_inputs_are_wired_as_sensors_usually_are(tmp_path: Path) -> None:
    sensors = (
        LAMP.replace("lamp", "door").replace("switch", "contact").replace("17", "4")
        + LAMP.replace("lamp", "eye").replace("switch", "motion").replace("17", "5")
        + LAMP.replace("lamp", "bell").replace("switch", "button").replace("17", '6\nactive_low = false\npull = "none"')
    )
    door, eye, bell = config.pin_uses(read(tmp_path, HEAD + sensors))
    assert (door.active_low, door.pull, door.idle) == (True, "up", 1)
    assert (eye.active_low, eye.pull, eye.values) == (False, "down", ("motion", "clear"))
    assert (bell.active_low, bell.pull, bell.values) == (False, "none", ("press", "double", "long"))


def test_only_outputs_and_inputs_are_built() -> None:
    thermometer = config.DeviceConfig(id="x", name="X", kind=Kind.TEMPERATURE, pin=4)
    with pytest.raises(ValueError, match="no output"):
        build.output(thermometer)
    with pytest.raises(ValueError, match="no input"):
        build.input_(thermometer)
