"""A second room, stolen while it talks: what the guide says is typed, and then it is out."""

from tests.booted.house import House
from tests.booted.phases import enrolling

ROOM = "shed"
AGENT = f"homesystem-agent@{ROOM}"


def run(house: House) -> None:
    """Enrol it on the room's machine, let it talk, revoke it."""
    house.follow(house.hub, "room-add", replaced={"hall": ROOM})
    enrolling.carry(house, ROOM)
    house.follow(house.room, "room-install", replaced={"hall": ROOM}, leave_out=("git", "apt-get"))
    enrolling.edit(house, ROOM)
    house.follow(house.room, "room-start", replaced={"hall": ROOM})
    house.hub.until(lambda: house.visitor.device(f"{ROOM}/lamp").get("available"), f"the {ROOM} is there", 60)
    connected = links(house)
    assert connected == 2, (
        f"{connected} connections from the room's machine to the broker, not the hall's and the {ROOM}'s"
    )
    house.report.saw(f"the {ROOM} is online, beside the hall")
    before = house.mail.count
    house.follow(house.hub, "revoke", replaced={"hall": ROOM})
    house.hub.until(lambda: links(house) == 1, f"the {ROOM}'s connection is gone", 10)
    house.report.saw("its connection is gone as soon as the command has ended")
    assert not house.visitor.device(f"{ROOM}/lamp").get("available"), "the page still shows it as available"
    answer = house.visitor.act(f"{ROOM}/lamp", "on")
    assert answer.status in {404, 409, 503}, answer
    house.report.saw(f"its lamp takes no command any more ({answer.status})")
    letter = house.mail.wait_for(ROOM.capitalize(), after=before)
    house.report.saw(f"a letter says so: {letter['Subject']}")
    tries = "journalctl -q -o cat -u homesystem-agent@shed | grep -c 'Broker cannot be reached' || true"
    count = int(house.room.run(tries))
    house.room.until(lambda: int(house.room.run(tries)) > count, f"the {ROOM} tries again and is refused", 60)
    assert links(house) == 1, "it was let in again"
    house.report.saw(
        "it knocks again and is refused: " + house.room.run(f"{tries.split('|')[0]} | tail -1").strip()[-160:]
    )
    house.room.run(f"systemctl disable --now {AGENT}")
    assert house.visitor.device("hall/lamp").get("available"), "the hall is gone as well"
    house.report.saw("the hall never noticed")


def links(house: House) -> int:
    """How many connections the room's machine has at the broker, seen from the hub."""
    listed = house.hub.run(f"ss -Htn state established dst {house.room.address}")
    return len([line for line in listed.splitlines() if line.strip()])
