"""A room's file: everything that is wrong with it is told at once, with what would be right."""

from pathlib import Path

import jinja2
import msgspec
import pytest

from device_agents import complaints, config
from device_agents.pins.pins import PinUse
from device_agents.room import build
from shared.running.config import ConfigError
from shared.words.names import Kind

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
    return complaints.read(path)


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
        build.description(made, device)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('room = "hall"', 'room = "gateway"', "room: 'gateway' is no name for a room"),
        ('room = "hall"', 'room = "Hall"', "room: 'Hall' is no name for a room"),
        ('identity = "hall"', 'identity = "garage"', "broker.identity: is 'garage'; it must be the room's own name"),
        ('sim_dir = "/tmp/sim"', "", "sim_dir: simulated pins need a folder"),
        ("pin = 17", "pin = 99", "there is no pin 99 (lamp)"),
        ("pin = 17", "pin = 2", "pin 2 (lamp) carries I²C data"),
        ("pin = 17", 'pin = "GPIO2"', "pin 2 (lamp) carries I²C data"),
        ("pin = 17", 'pin = "GPIO99"', "there is no pin 99 (lamp)"),
        ("pin = 17", 'pin = "PIN17"', "there is no pin 'PIN17' (lamp) on the header; GPIO17 would be BCM number 17"),
        ("pin = 17", 'pin = ""', "devices[0].pin"),
        ("pin = 17", "pin = 1.5", "devices[0].pin"),
        ('pins = "simulated"', 'pins = "gpio"', "Invalid enum value 'gpio'"),
        ("pin = 17", "", "devices[0].pin: is missing"),
        ('id = "lamp"', 'id = "The Lamp"', "devices[0].id: 'The Lamp' is no id"),
        ('kind = "switch"', 'kind = "temperature"', "devices[0].pin: a temperature has no such setting"),
        ('kind = "switch"', 'kind = "swich"', "Invalid enum value 'swich'"),
        ('kind = "switch"', 'kind = "cover"', "devices[0].travel_time: is missing"),
        ('kind = "switch"', 'kind = "cover"', "devices[0].pins: is missing"),
        ('kind = "switch"', 'kind = "cover"', "devices[0].pin: a cover has no such setting"),
        ("pin = 17", "pin = 17\npulse_ms = 500", "devices[0].pulse_ms: a switch has no such setting"),
        ("pin = 17", 'pin = 17\nmax_on = 5\nboot = "on"', 'devices[0].boot: "on" would lengthen max_on'),
        ("pin = 17", 'pin = 17\non_link_loss = "locked"', "devices[0].on_link_loss: a switch cannot do 'locked'"),
        ("pin = 17", 'pin = 17\nsafe_actions = ["lock"]', "devices[0].safe_actions: a switch has no action lock"),
        ("pin = 17", "pin = 17\nmax_onn = 5", "did you mean `max_on`?"),
        ('kind = "switch"', 'kind = "lock"\nboot = "on"', "devices[0].boot: a lock cannot start 'on'"),
        ('kind = "switch"', 'kind = "lock"\nboot = "restore"', "devices[0].boot: a lock cannot start 'restore'"),
        ('kind = "switch"', 'kind = "pulse"\nboot = "restore"', "devices[0].boot: a pulse cannot start 'restore'"),
        ('kind = "switch"', 'kind = "contact"\nconfirm = true', "devices[0].confirm: a contact has no such setting"),
        ("pin = 17", "pin = 17\ndead_time = 2", "devices[0].dead_time: belongs to an interlock; name its group"),
        ("pin = 17", 'pin = 17\ninterlock = "a"', "devices[0].interlock: 'a' has no other member"),
        ("pin = 17", 'pin = 17\ninterlock = "a"\nboot = "restore"', "devices[0].boot: every member of an interlock"),
        ("pin = 17", "pin = 17\nlink_loss_after = 20", "devices[0].link_loss_after: does nothing with on_link_loss"),
        ("pin = 17", "pin = 17\nlink_loss_after = 5", "link_loss_after"),
        ("pin = 17", 'pin = 17\nmin_off = 5\nsafe_actions = ["on"]', "safe_actions: on would pass min_off by"),
        ("pin = 17", "pin = 17\nrelock_after = 5", "devices[0].relock_after: a switch has no such setting"),
        ('kind = "switch"', 'kind = "lock"\ncontact = "x"', "devices[0].contact: says when it may lock by itself"),
        (
            'kind = "switch"',
            'kind = "lock"\nrelock_after = 5\ncontact = "x"',
            "contact: 'x' is no contact of this room",
        ),
        ("pin = 17", 'pin = 17\nbinds.press = {device = "x", action = "on"}', "binds: a switch has no such setting"),
        ('name = "Hall"', 'name = "Hall"\nwatchdog_seconds = 4', "watchdog_seconds: is 4; 5 to 15 would be right"),
        ('name = "Hall"', 'name = "Hall"\nwatchdog_seconds = 16', "watchdog_seconds: is 16; 5 to 15 would be right: a"),
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


@pytest.mark.parametrize("pins", ["simulated", "rpi"])
def test_a_name_is_the_headers_number(tmp_path: Path, pins: str) -> None:
    text = HEAD.replace('"simulated"', f'"{pins}"') + LAMP.replace("17", '"GPIO17"')
    assert read(tmp_path, text).devices[0].every_pin == (17,)
    with pytest.raises(ConfigError, match="pin 17 is used by lamp and other"):
        read(tmp_path, text + LAMP.replace('"lamp"', '"other"'))


def test_names_and_labels_of_a_chip_are_left_to_the_chip(tmp_path: Path) -> None:
    head = HEAD.replace('pins = "simulated"', 'pins = "gpiod"\nchip = "pinctrl-bcm2711"')
    room = read(tmp_path, head + LAMP.replace("17", '"RELAY1"'))
    assert (room.chip, room.devices[0].lines) == (Path("pinctrl-bcm2711"), ("RELAY1",))
    with pytest.raises(ConfigError, match="chip: Expected a path, got ''"):
        read(tmp_path, head.replace("pinctrl-bcm2711", "") + LAMP)


def test_pins_that_the_owner_calls_free_are_right(tmp_path: Path) -> None:
    room = read(tmp_path, "free_pins = [2]\n" + HEAD + LAMP.replace("17", "2"))
    assert room.free_pins == (2,)


BELL = LAMP.replace("lamp", "bell").replace("switch", "button").replace("17", "5")
BELL += 'binds.press = {device = "lamp", action = "on"}\n'


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('device = "lamp"', 'device = "bell"', "devices[1].binds.press.device: 'bell' is no output of this room"),
        ('device = "lamp"', 'device = "cellar"', "devices[1].binds.press.device: 'cellar' is no output of this room"),
        (
            'action = "on"',
            'action = "unlock"',
            "binds.press.action: a switch has no action unlock; it has on, off, toggle",
        ),
        ('action = "on"', 'action = "explode"', "Invalid enum value 'explode'"),
        ('action = "on"', 'action = "on", value = 3', "devices[1].binds.press.value: goes with set"),
        ("binds.press", "binds.motion", "devices[1].binds.motion: a button tells press, double and long"),
        ("binds.press", "binds.shout", "Invalid enum value 'shout'"),
        ('kind = "switch"', 'kind = "lock"\nrelock_after = 5\ncontact = "bell"', "contact: 'bell' is no contact"),
    ],
)
def test_what_does_not_fit_its_partner_is_told(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    text = HEAD + LAMP + BELL
    read(tmp_path, text)
    assert old in text
    with pytest.raises(ConfigError) as told:
        read(tmp_path, text.replace(old, new))
    assert complaint in str(told.value)


def test_dimmed_light_is_bound_within_its_range(tmp_path: Path) -> None:
    bell = BELL.replace('action = "on"', 'action = "set", value = 101')
    with pytest.raises(ConfigError, match=r"binds\.press\.value: is 101; a whole number from 0 to 100"):
        read(tmp_path, HEAD + LAMP.replace("switch", "dimmer") + bell)


def test_members_of_an_interlock_are_told_what_they_may_not_do_together(tmp_path: Path) -> None:
    member = LAMP + 'interlock = "a"\non_link_loss = "on"\n'
    two = HEAD + member + member.replace("lamp", "other").replace("17", "5\ndead_time = 4")
    with pytest.raises(ConfigError) as told:
        read(tmp_path, two)
    assert "devices[0].on_link_loss: two members of 'a' cannot both be on" in str(told.value)
    room = read(tmp_path, two.replace('on_link_loss = "on"', "", 1))
    assert [config.dead_time(room, device) for device in room.devices] == [4.0, 4.0]


def test_the_description_says_all_that_a_page_needs(tmp_path: Path) -> None:
    text = (
        HEAD
        + LAMP
        + 'max_on = 60\nmin_off = 5\nmin_interval = 1\nboot = "off"\non_link_loss = "off"\n'
        + 'interlock = "a"\nlockout = true\n'
        + LAMP.replace("lamp", "other").replace("17", '5\ninterlock = "a"\ndead_time = 2')
        + LAMP.replace("lamp", "shade").replace("switch", "dimmer").replace("17", "6")
        + LAMP.replace("lamp", "door").replace("switch", "lock").replace("17", '7\nrelock_after = 9\ncontact = "reed"')
        + LAMP.replace("lamp", "reed").replace("switch", "contact").replace("17", "8")
        + LAMP.replace("lamp", "bell").replace("switch", "button").replace("17", "9")
    )
    room = read(tmp_path, text)
    said = {d.id: msgspec.to_builtins(build.description(room, d)) for d in room.devices}
    assert said["lamp"] == {
        "id": "lamp",
        "name": "Lamp",
        "kind": "switch",
        "critical": False,
        "confirm": False,
        "actions": ("on", "off"),
        "safe_actions": ("off",),
        "values": ("on", "off"),
        "max_on": 60.0,
        "min_off": 5.0,
        "min_interval": 1.0,
        "dead_time": 2.0,
        "interlock": "a",
        "lockout": True,
        "boot": "off",
        "on_link_loss": "off",
        "link_loss_after": 60.0,
    }
    assert [said["shade"][name] for name in ("minimum", "maximum", "unit")] == [0, 100, "%"]
    assert [said["door"][name] for name in ("relock_after", "contact", "on_link_loss")] == [9.0, "reed", "hold"]
    assert (said["reed"]["values"], said["bell"]["events"]) == (("open", "closed"), ("press", "double", "long"))


def test_a_room_that_has_just_joined_has_no_devices(tmp_path: Path) -> None:
    assert read(tmp_path, HEAD).devices == ()


def test_too_many_devices_are_told(tmp_path: Path) -> None:
    many = "".join(LAMP.replace('"lamp"', f'"lamp-{number}"') for number in range(65))
    with pytest.raises(ConfigError, match=r"devices: there are 65; a room has 64 at the most"):
        read(tmp_path, HEAD + many)


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        read(tmp_path, HEAD + LAMP + LAMP.replace("switch", "motion").replace("17", "17\nhold = 3\nmax_on = 4"))
    lines = str(told.value).splitlines()
    assert len(lines) == 3
    assert "devices[1].max_on" in lines[0]
    assert "'lamp' is there 2 times" in lines[1]
    assert "pin 17 is used by lamp and lamp" in lines[2]


def test_a_room_that_cannot_be_read_still_tells_the_rules_that_its_other_devices_break(tmp_path: Path) -> None:
    wrong = LAMP.replace('kind = "switch"', 'kind = "swich"')
    with pytest.raises(ConfigError) as told:
        read(tmp_path, HEAD.replace("ca =", "caa =") + LAMP + wrong + LAMP.replace("pin = 17", "pin = 17\nhold = 3"))
    path = tmp_path / "hall.toml"
    lines = str(told.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    assert [line.removeprefix(f"{path}: ").partition("; ")[0] for line in lines] == [
        "broker.tls: Object missing required field `ca`",
        "broker.tls.caa: there is no such setting",
        "devices[1].kind: Invalid enum value 'swich'",
        "devices[2].hold: a switch has no such setting",
        "devices: 'lamp' is there 2 times",
        "devices: pin 17 is used by lamp and lamp",
    ]


@pytest.mark.parametrize("devices", ["devices = 5\n", "[devices]\nlamp = 1\n"])
def test_devices_that_are_no_tables_are_told(tmp_path: Path, devices: str) -> None:
    text = devices + HEAD if "[" not in devices else HEAD + devices
    with pytest.raises(ConfigError, match="devices: Expected `array`"):
        read(tmp_path, text)


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
