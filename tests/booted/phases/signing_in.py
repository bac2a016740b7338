"""Signing in from the third place: password, the code that comes by mail, in."""

from tests.booted.house import MASTER, PASSWORD, UNITS, House


def run(house: House) -> None:
    """Sign in as the master user; nobody may have died of it."""
    before = restarts(house)
    user = house.visitor.sign_in(MASTER, PASSWORD)
    assert user["role"] == "master", user
    house.report.saw(f"{user['email']} is signed in as {user['role']}, with a code that came over STARTTLS and a login")
    assert restarts(house) == before, f"a service died meanwhile: {before} before, {restarts(house)} after"
    house.report.saw("no service was started again meanwhile")


def restarts(house: House) -> dict[str, str]:
    """How often systemd started each of the hub's services again."""
    return {unit: house.hub.unit(unit, "NRestarts")["NRestarts"] for unit in UNITS}
