"""Power off and on: in order, and by pulling the plug. Everything has to come back without a hand."""

from tests.booted.house import AGENT, MASTER, PASSWORD, UNITS, House
from tests.booted.phases import commanding


def in_order(house: House) -> None:
    """Shut down the hub, boot it; who was signed in still is, and the room comes back by itself."""
    house.hub.off()
    house.hub.boot()
    alive(house)
    house.report.saw("after a shutdown and a boot the home is ready, the hall is back, and a command is executed")


def plug_pulled(house: House) -> None:
    """Cut the power of both machines at once."""
    house.hub.cut()
    house.room.cut()
    house.room.boot()
    house.hub.boot()
    alive(house)
    house.report.saw("after the power was cut on both machines the home is ready and a command is executed")
    user = house.visitor.sign_in(MASTER, PASSWORD)
    assert user["role"] == "master", user
    house.report.saw("signing in works as before")


def alive(house: House) -> None:
    """The whole home is there: units, gateway, room, command."""
    for unit in UNITS:
        house.hub.until_active(unit)
    house.room.until_active(AGENT)
    house.hub.until(house.visitor.ready, "the gateway is ready", 60)
    house.hub.until(lambda: house.visitor.device("hall/lamp").get("available"), "the hall's lamp is there", 90)
    commanding.off_and_on(house)
