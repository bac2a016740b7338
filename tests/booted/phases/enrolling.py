"""A room on another machine: enrolled on the hub, carried over, started, and there."""

import re
import subprocess

from tests.booted.house import AGENT, VAR, House
from tests.booted.trees import PERSON


def run(house: House) -> None:
    """What the guide says, on both machines."""
    house.follow(house.hub, "room-add")
    house.room.boot()
    carry(house, "hall")
    house.follow(house.room, "room-install")
    edit(house, "hall")
    house.follow(house.room, "room-start")
    house.room.until_active(AGENT)
    house.room.until(lambda: house.visitor.device("hall/lamp").get("available"), "the hall's lamp is there", 60)
    house.report.saw("the hall is online: its lamp is there for whoever is signed in")


def carry(house: House, folder: str) -> None:
    """A folder of the person's goes over on a stick."""
    home = f"home/{PERSON}"
    subprocess.run(["cp", "-a", f"{house.hub.tree}/{home}/{folder}", f"{house.room.tree}/{home}/{folder}"], check=True)
    house.report.note(f"the folder {folder} is carried from the hub to the room's machine")


def edit(house: House, room: str) -> None:
    """What a person does with an editor: the front door's # goes, and pins are simulated, for lack of any."""
    path = house.room.tree / VAR.lstrip("/") / "agents" / f"{room}.toml"
    text = path.read_text()
    door = re.search(r'(?m)^# \[\[devices\]\]\n# id = "front-door"\n(# .*\n)+', text)
    assert door is not None, f"no front door to be had in {path}:\n{text}"
    text = text.replace(door[0], re.sub(r"(?m)^# ", "", door[0]))
    pins = re.search(r'(?m)^pins = ".*"$', text)
    assert pins is not None, f"no line `pins = …` in {path}:\n{text}"
    text = re.sub(r"(?m)^chip = .*\n", "", text)
    path.write_text(text.replace(pins[0], f'pins = "simulated"\nsim_dir = "{VAR}/sim"'))
    house.report.note(f'in {VAR}/agents/{room}.toml: {pins[0]} becomes pins = "simulated", and the front door is there')
