"""A room on another machine: enrolled on the hub, carried over, started, and there."""

import re
import shutil

from tests.booted.house import AGENT, HUB, ROOT, VAR, House


def run(house: House) -> None:
    """What the guide says, on both machines."""
    house.follow(house.hub, "room-add")
    house.room.boot()
    house.follow(house.room, "hub-install")
    carry(house)
    house.follow(house.room, "room-start")
    house.room.until(lambda: house.room.unit(AGENT, "SubState")["SubState"] == "running", f"{AGENT} runs")
    house.room.until(lambda: house.visitor.device("hall/lamp").get("available"), "the hall's lamp is there", 60)
    house.report.saw("the hall is online: its lamp is there for whoever is signed in")


def carry(house: House) -> None:
    """Files go over on a stick."""
    for folder in ("pki", "agents", "data/agents", "log"):
        (house.room.tree / VAR.lstrip("/") / folder).mkdir(parents=True, exist_ok=True)
    for path in (house.hub.tree / VAR.lstrip("/") / "rooms/hall").iterdir():
        shutil.copy(path, house.room.tree / VAR.lstrip("/") / "pki" / path.name)
    text = (ROOT / "deploy/templates/agents/hall.toml").read_text()
    text = text.replace("{{ var }}", VAR).replace("{{ host }}", HUB).replace("{{ mqtt_port }}", "8883")
    text = re.sub("device-ca.crt", "ca.crt", text).replace("pki/hall.", "pki/room.")
    (house.room.tree / VAR.lstrip("/") / "agents/hall.toml").write_text(text)
    unit = "/opt/homesystem/deploy/systemd/homesystem-agent@.service"
    house.room.run(f"chown -R homesystem: {VAR}; cp {unit} /etc/systemd/system/; systemctl daemon-reload")
