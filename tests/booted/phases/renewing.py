"""Certificates renewed while everything runs: what is served afterwards is what counts, not what lies on the disk."""

import datetime as dt

from tests.booted.clock import Clock
from tests.booted.house import AGENT, MASTER, PASSWORD, UNITS, House
from tests.booted.phases import commanding

HUB_UNITS = (*UNITS, "homesystem-signer", "homesystem-renew")
ROOM_UNITS = (AGENT, "homesystem-room-renew@hall")


def run(house: House) -> None:
    """On the 61st day: all that was made on the first day is near its end."""
    hub, room = Clock(house.hub, services(HUB_UNITS)), Clock(house.room, services(ROOM_UNITS))
    house.hub.run("systemctl restart " + " ".join(UNITS), seconds=120)
    house.room.run(f"systemctl restart {AGENT}")
    on_day(house, hub, room, 61)


def services(units: tuple[str, ...]) -> list[str]:
    """The names of the units' files; a drop-in for one that does not exist does nothing."""
    return [f"{unit}.service" for unit in units]


def on_day(house: House, hub: Clock, room: Clock, day: int) -> None:
    """Move the calendar there, let the daily renewal run once, and look at everything that is served."""
    before = house.visitor.served().serial_number
    pids = {unit: house.hub.unit(unit, "MainPID")["MainPID"] for unit in UNITS}
    hub.set(day)
    room.set(day)
    house.visitor.days = day
    house.hub.run("systemctl start homesystem-renew.service", seconds=120)
    house.report.note(f"day {day}: " + house.hub.run("journalctl -u homesystem-renew -n 4 -o cat").strip())
    house.hub.until(lambda: house.visitor.served().serial_number != before, "another web certificate is served")
    left = house.visitor.served().not_valid_after_utc - dt.datetime.now(dt.UTC) - dt.timedelta(days=day)
    assert left.days > 30, f"the web certificate that is served ends in {left.days} days"
    house.report.saw(f"day {day}: the gateway serves a certificate that is good for {left.days} more days")
    kept = {unit: house.hub.unit(unit, "MainPID")["MainPID"] for unit in UNITS}
    assert kept == pids, f"renewing started services again: {pids} before, {kept} after"
    house.report.saw(f"day {day}: no service was started again for it")
    house.hub.until(lambda: house.visitor.device("hall/lamp").get("available"), "the hall's lamp is there", 90)
    house.visitor.sign_in(MASTER, PASSWORD)
    commanding.off_and_on(house)
    house.report.saw(f"day {day}: signed in, and a command is executed in the hall")
