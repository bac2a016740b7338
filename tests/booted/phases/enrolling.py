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
    edit(house)
    house.follow(house.room, "room-start")
    house.room.until_active(AGENT)
    house.room.until(lambda: house.visitor.device("hall/lamp").get("available"), "the hall's lamp is there", 60)
    house.report.saw("the hall is online: its lamp is there for whoever is signed in")


def carry(house: House, folder: str) -> None:
    """A folder of the person's goes over on a stick."""
    home = f"home/{PERSON}"
    subprocess.run(["cp", "-a", f"{house.hub.tree}/{home}/{folder}", f"{house.room.tree}/{home}/{folder}"], check=True)
    house.report.note(f"the folder {folder} is carried from the hub to the room's machine")


def edit(house: House) -> None:
    """What a person does with an editor: here there are no pins, so they are simulated, and their edges kept in a file."""
    path = house.room.tree / VAR.lstrip("/") / "agents" / "hall.toml"
    text = path.read_text()
    pins = re.search(r'(?m)^pins = ".*"$', text)
    assert pins is not None, f"no line `pins = …` in {path}:\n{text}"
    text = re.sub(r"(?m)^chip = .*\n", "", text)
    path.write_text(text.replace(pins[0], f'pins = "simulated"\nsim_dir = "{VAR}/sim"'))
    house.report.note(f'in {VAR}/agents/hall.toml: {pins[0]} becomes pins = "simulated"')
