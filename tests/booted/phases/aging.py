"""Months: the calendar at +89, +91 and +152 days, and then a hub that was off for forty days."""

from tests.booted.house import AGENT, MASTER, PASSWORD, UNITS, House
from tests.booted.phases import commanding, renewing

DAYS = (89, 91, 152)
AWAY = 40


def run(house: House) -> None:
    """At each date everything that was made before +61 is long over, or over since yesterday."""
    hub, room = renewing.clocks(house)
    for day in DAYS:
        renewing.on_day(house, hub, room, day)


def away(house: House) -> None:
    """The hub is switched off for longer than its revocation list is good for; the room waits all the while."""
    hub, room = renewing.clocks(house)
    day = house.visitor.days + AWAY
    house.hub.off()
    hub.set(day)
    room.set(day)
    house.visitor.days = day
    house.hub.boot()
    for unit in UNITS:
        house.hub.until_active(unit)
    house.hub.until(house.visitor.ready, "the gateway is ready", 60)
    house.report.saw(f"day {day}: the hub is up again, forty days later, and ready")
    house.room.until_active(AGENT)
    house.visitor.sign_in(MASTER, PASSWORD)
    house.hub.until(lambda: house.visitor.device("hall/lamp").get("available"), "the hall's lamp is there", 120)
    commanding.off_and_on(house)
    house.report.saw(f"day {day}: signed in, and a command is executed in the hall")
