"""Certificates renewed while everything runs: what is served afterwards is what counts, not what lies on the disk."""

import datetime as dt
import threading

from cryptography import x509

from tests.booted.clock import Clock
from tests.booted.house import AGENT, MASTER, PASSWORD, UNITS, VAR, House
from tests.booted.phases import commanding

FIRST_DAY = 61
_SEEN_SECONDS = 4.0
_ASKED_AGAIN = 180
"""Seconds: a request that nobody heard, as the broker was just being started anew, is sent again a minute later."""
_BEGUN = 60
"""Days left with which a room begins to renew its certificate, so that it never has fewer for long."""
_LEFT = 29
"""Days that every certificate in use must be good for after a renewal."""
RENEW, BACKUP = "homesystem-renew", "homesystem-backup"
ROOM_RENEW = "homesystem-room-renew@hall"
_IN_USE = "New certificate works"


def run(house: House) -> None:
    """On the 61st day: all that was made on the first day is near its end."""
    on_day(house, *clocks(house), FIRST_DAY)


def clocks(house: House) -> tuple[Clock, Clock]:
    """The calendars of the hub and of the room, given to their units the first time."""
    hub, room = Clock(house.hub), Clock(house.room)
    if hub.new:
        house.hub.run(
            "systemctl restart $(systemctl list-units --plain --no-legend --state=running 'homesystem-*.service'"
            " | cut -d' ' -f1)",
            seconds=120,
            check=False,  # a unit may need a second start, which systemd gives it; they are waited for
        )
        for unit in UNITS:
            house.hub.until_active(unit)
    if room.new:
        house.room.run(f"systemctl restart {AGENT}")
    return hub, room


def on_day(house: House, hub: Clock, room: Clock, day: int) -> None:
    """Move the calendar there, let the daily renewals run once, and look at everything that is served."""
    hub.set(day)
    room.set(day)
    house.visitor.days = day
    # libfaketime looks at its file once a second: nothing tells when the last process that runs has seen the new day.
    threading.Event().wait(_SEEN_SECONDS)
    for unit in UNITS:
        house.hub.until_active(unit)  # the broker's watch starts the broker anew where the calendar jumps
    services = {unit: house.hub.unit(unit, "MainPID")["MainPID"] for unit in UNITS}
    house.hub.run(f"systemctl start {RENEW}.service", seconds=120)
    house.hub.run(f"systemctl start {BACKUP}.service", seconds=120)  # where none is to be made it is passed over
    said = house.hub.run(f"journalctl -q -u {RENEW} -n 6 -o cat").splitlines()
    house.report.note(f"day {day}: " + " ".join(line for line in said if "enew" in line))
    house.hub.until(lambda: left(house) >= _LEFT, f"a web certificate good for {_LEFT} days is served")
    house.report.saw(f"day {day}: the gateway serves a certificate that is good for {left(house)} more days")
    renew_room(house, day)
    house.visitor.sign_in(MASTER, PASSWORD)  # no session is as old as that
    house.hub.until(lambda: house.visitor.device("hall/lamp").get("available"), "the hall's lamp is there", 90)
    commanding.off_and_on(house)
    house.report.saw(f"day {day}: signed in, and a command is executed in the hall")
    kept = {unit: house.hub.unit(unit, "MainPID")["MainPID"] for unit in UNITS}
    assert kept == services, f"services were started again meanwhile: {services} before, {kept} after"
    house.report.saw(f"day {day}: no service of the hub was started again for it")
    house.hub.until(house.visitor.ready, f"day {day}: the gateway says that it is ready", 30)
    house.report.saw(f"day {day}: the gateway says that it is ready")
    ask_doctor(house, day)


def left(house: House) -> int:
    """Days that the certificate which the gateway serves is still good for."""
    return days_left(house, house.visitor.served())


def days_left(house: House, certificate: x509.Certificate) -> int:
    """Days until its end, on the home's own calendar."""
    return (certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)).days - house.visitor.days


def renew_room(house: House, day: int) -> None:
    """What the room's timer starts once a day; then the room's certificate has to be good for long, and in use.

    Coming back with it, a room is away for a moment: what is asked of it before that is rightly told that it is.
    """
    before = _connected_anew(house)
    path = house.room.tree / VAR.lstrip("/") / "pki/hall/room.crt"

    def rest() -> int:
        return days_left(house, x509.load_pem_x509_certificate(path.read_bytes()))

    is_due = rest() < _BEGUN
    house.room.run(f"systemctl start {ROOM_RENEW}.service", seconds=60)
    if is_due:
        house.room.until(lambda: rest() >= _BEGUN, f"the room has a certificate good for {_BEGUN} days", _ASKED_AGAIN)
        house.room.until(lambda: _connected_anew(house) > before, "the room is connected with that certificate", 60)
    how = "another certificate, which" if is_due else "the certificate of before, which"
    house.report.saw(f"day {day}: the room is connected with {how} is good for {rest()} more days")


def _connected_anew(house: House) -> int:
    """How often the hall's agent has said so far that a renewed certificate connects."""
    return house.room.run(f"journalctl -q -u {AGENT} -o cat").count(_IN_USE)


def ask_doctor(house: House, day: int) -> None:
    """What the doctor says on that day.

    What libfaketime itself breaks is told and left out: with the true monotonic time it refuses Python's `time.sleep`,
    and so the question for Mosquitto's version, as an invalid argument.
    """
    house.hub.home_folder()
    said = "".join(house.hub.type(command, code=None) for command in house.guide["doctor"].commands)
    faults = [line.strip() for line in said.splitlines() if "✗" in line]
    ours = [line for line in faults if "[Errno 22] Invalid argument" not in line]
    assert said.count("✓") > 20, f"day {day}: doctor looked at too little: {said}"
    assert not ours, f"day {day}: doctor finds fault: {' | '.join(ours)}"
    left_out = f" ({len(faults)} question that libfaketime breaks is left out)" if faults else ""
    house.report.saw(f"day {day}: doctor says ✓ {said.count('✓')} times and ✗ never{left_out}")
