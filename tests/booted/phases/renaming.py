"""The hub gets another name: both are good until everybody has followed, then the new one alone."""

import ssl

from tests.booted.house import AGENT, HUB, MASTER, NEW_HUB, PASSWORD, VAR, House
from tests.booted.phases.dying import well
from tests.booted.trees import PERSON


def run(house: House) -> None:
    """What docs/renaming.md says, with a browser under each name."""
    former = house.visitor
    house.follow(house.hub, "rename", replaced={"hub.local": NEW_HUB})
    house.follow(house.hub, "hub-authority")
    authority = (house.hub.tree / f"home/{PERSON}/web-ca.crt").read_text()
    former.sign_in(MASTER, PASSWORD)
    house.report.saw(f"whoever knows the hub as {HUB} signs in as before")
    visitor = house.welcome(authority, NEW_HUB)
    visitor.sign_in(MASTER, PASSWORD)
    house.report.saw(f"with the new authority one signs in at {visitor.url}")
    house.room.type(f"sudo sed -i s/{HUB}/{NEW_HUB}/ {VAR}/agents/hall.toml")
    house.room.type(f"sudo systemctl restart {AGENT}")
    well(house)
    house.report.saw("the hall comes under the new name")
    house.follow(house.hub, "rename-done")
    well(house)
    visitor.sign_in(MASTER, PASSWORD)
    try:
        former.served()
    except ssl.SSLError as error:
        house.report.saw(f"under the old name browsers are refused: {error}"[:150])
    else:
        raise AssertionError(f"{HUB} is still served")
