"""What people lose: a mailbox, a factor, a room's card; and in the end the whole house goes to somebody else."""

import pyotp

from tests.booted.house import AGENT, MASTER, PASSWORD, UNITS, VAR, House
from tests.booted.lan import NETWORK
from tests.booted.phases import enrolling, founding
from tests.booted.phases.dying import well
from tests.booted.terminal import Answer
from tests.booted.visitor import CODE

_MEMBER = "robin@home.arpa"
_MOVED = "robin@villa.home.arpa"


def mailbox(house: House) -> None:
    """Another address, given at the hub; whoever was signed in is not any more, and the new mailbox gets the code."""
    add = f"sudo homesystem user add {_MEMBER} --name Robin"
    house.hub.type(add, [Answer(r"[Pp]assword", PASSWORD, "(a password)"), Answer(r"Again", PASSWORD, "(the same)")])
    member = house.visitor.another()
    member.sign_in(_MEMBER, PASSWORD)
    there = {"owner": "robin", "example.org": "home.arpa", "example.net": "villa.home.arpa"}
    house.follow(house.hub, "lost-mailbox", replaced=there)
    house.hub.until(lambda: member.call("GET", "/api/v1/me").status == 401, "the session of before ended", 30)
    assert member.sign_in(_MOVED, PASSWORD)["email"] == _MOVED
    house.report.saw(f"every session ended; the code went to {_MOVED}, and the person is in")


def factor(house: House) -> None:
    """An authenticator app whose telephone is gone, and its recovery codes with it."""
    member = house.visitor.another()
    member.sign_in(_MOVED, PASSWORD)
    made = member.call("POST", "/api/v1/factors", {"current": PASSWORD, "name": "Telephone"})
    assert made.status == 201, made
    code = pyotp.TOTP(made.body["secret"]).now()
    shown = member.call("POST", f"/api/v1/factors/{made.body['id']}", {"code": code})
    assert shown.status == 200, shown
    before = house.mail.count
    login = member.begin_to_sign_in(_MOVED, PASSWORD)
    refused = member.call("POST", "/api/v1/login", login | {"code": "000000"})
    assert refused.status == 401, refused
    assert not house.mail.has(CODE, after=before), "a code came by mail beside the app"
    house.follow(house.hub, "lost-factor", replaced={"owner": "robin", "example.org": "villa.home.arpa"})
    assert member.sign_in(_MOVED, PASSWORD)["email"] == _MOVED
    house.report.saw(
        "with an app no code comes by mail; once that is dropped at the hub the next one does, and is good"
    )


def card(house: House) -> None:
    """A new card in the hall's Pi: the same name, another key, and what was granted stays."""
    dead = house.room
    kept = (dead.tree / VAR.lstrip("/") / "agents" / "hall.toml").read_text()
    dead.off()
    house.room = fresh = house.machine("hall", like=dead)
    try:
        fresh.boot()
        house.follow(house.hub, "lost-card")
        enrolling.carry(house, "again")
        house.follow(fresh, "new-card")
        (fresh.tree / VAR.lstrip("/") / "agents" / "hall.toml").write_text(kept)
        house.follow(fresh, "room-start")
        fresh.until_active(AGENT)
        house.hub.until(lambda: house.visitor.device("hall/lamp").get("available"), "the hall is back", 60)
        well(house)
        house.report.saw("with a new card and its old file the hall is back under its name, and obeys")
    except BaseException:
        fresh.cut()
        house.room = dead
        dead.boot()
        raise


def address(house: House) -> None:
    """The hub moves to another address, and back to its own: no file of the home has either."""
    own = house.hub.address
    try:
        _moves(house, f"{NETWORK}.77")
    finally:
        _moves(house, own)
    house.visitor.sign_in(MASTER, PASSWORD)


def _moves(house: House, there: str) -> None:
    """Nobody tells the room: it notices that nothing comes any more, and looks the name up."""
    times = _times_reached(house)
    house.readdress(house.hub, there)
    house.room.until(lambda: _times_reached(house) > times, "the hall has found the hub again", 120)
    well(house)
    house.report.saw(f"the hub is at {there}: the hall found it by its name, and obeys")


def _times_reached(house: House) -> int:
    return house.room.run(f"journalctl -q -u {AGENT} -o cat").count("Broker reached")


def given_away(house: House) -> None:
    """Hub and room forget everything; the owner is told; another home begins on the same machines."""
    hub, room = house.hub, house.room
    before = house.mail.count
    house.follow(hub, "give-away-hub", [Answer(r"Type the hub's name", house.visitor.host)])
    letter = house.mail.wait_for("is being erased", after=before)
    assert letter["To"] == MASTER
    house.report.saw(f"the master user has a letter: {letter['Subject']}")
    assert hub.run(f"find {VAR} ! -type d").strip() == "", "something of the home is left"
    assert "device-ca.key" not in hub.run("find /var/lib/homesystem-signer"), "the authorities' keys are left"
    for unit in UNITS:
        state = hub.unit(unit, "ActiveState", "UnitFileState")
        assert state == {"ActiveState": "inactive", "UnitFileState": "disabled"}, (unit, state)
    house.report.saw("of the home nothing is left, and nothing of it starts again")
    house.follow(room, "give-away-room", [Answer(r"Type hall to erase it", "hall")])
    assert room.run(f"ls -A {VAR}").strip() == "", "something of the room is left"
    assert room.unit(AGENT, "ActiveState")["ActiveState"] == "inactive"
    house.report.saw("the room's machine has no key, no ledger and no file of the hall any more")
    house.follow(hub, "hub-init", founding.ANSWERS)
    house.follow(hub, "hub-units")
    for unit in UNITS:
        hub.until_active(unit)
    house.follow(hub, "hub-authority")
    house.report.saw("another home begins on the hub, with authorities of its own")
