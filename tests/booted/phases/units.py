"""The hub's services, started as the guide says, and the web authority that the household's browsers get."""

from tests.booted.house import UNITS, House
from tests.booted.trees import PERSON

FIELDS = ("Type", "NRestarts", "User")


def run(house: House) -> None:
    """Start them, wait until they stay."""
    house.follow(house.hub, "hub-units")
    for unit in UNITS:
        house.hub.until_active(unit)
        told = house.hub.unit(unit, *FIELDS)
        house.report.saw(f"{unit} runs ({told['Type']}, user {told['User']}, restarts {told['NRestarts']})")
    house.follow(house.hub, "hub-authority")
    visitor = house.welcome((house.hub.tree / f"home/{PERSON}/web-ca.crt").read_text())
    house.hub.until(visitor.ready, f"{visitor.url}/readyz says 200 in the third place", 60)
    house.report.saw(f"{visitor.url} is ready, seen from the third place with the home's own authority")
