"""A home from packages gets newer ones: as it should be, with a fault in them, and with the power gone on the way."""

from pathlib import Path

from tests.booted.house import AGENT, UNITS, VAR, House
from tests.booted.machine import Machine
from tests.booted.phases import packaging
from tests.booted.phases.dying import well
from tests.booted.phases.packaging import CODE, bring
from tests.booted.trees import PERSON

_UPGRADE = "/var/lib/homesystem-upgrade"


def upgrade(house: House) -> None:
    """Newer packages under a home that runs: the same people, the same room, and the code is the newer one."""
    identity = packaging.identity_of(house.hub)
    for machine, path, name in (
        (house.hub, house.packages.newer_hub, "home-system"),
        (house.room, house.packages.newer_agent, "home-system-agent"),
    ):
        process = packaging.main_process(machine)
        bring(machine, path, beside=True)
        elsewhere = house.packages.next_hub if machine is house.hub else None
        if elsewhere is not None:
            bring(machine, elsewhere, beside=True)  # as `make deb` leaves them, though it is not for here
        house.follow(machine, f"deb-upgrade-{'hub' if machine is house.hub else 'room'}")
        if elsewhere is not None:
            machine.run(
                f"rm /home/{PERSON}/{elsewhere.name}"
            )  # apt takes it for the newest, and finds no Python for it
        version = packaging.version_of(machine, name)
        assert version.startswith("0.1.99"), version
        assert packaging.main_process(machine) != process, f"{machine.name} goes on with the older code"
        house.report.saw(f"{machine.name} has {name} {version}, and runs it")
    for unit in UNITS:
        house.hub.until_active(unit)
    assert packaging.identity_of(house.hub) == identity
    well(house)
    house.report.saw("authorities and secrets are the same, the hall is there, and a command is executed")
    said = house.hub.run("homesystem upgrade 2>&1", seconds=300)
    assert "is the newest that apt knows of here" in said, said
    house.report.saw("`homesystem upgrade` without a file asks apt, and says that nothing newer is known")


def goes_back(house: House) -> None:
    """A newer version that starts and does not work, and has changed the accounts' form by then: all goes back."""
    hub, path = house.hub, house.packages.faulty_hub
    before, identity, mails = packaging.version_of(hub, "home-system"), packaging.identity_of(hub), house.mail.count
    bring(hub, path)
    hub.home_folder()
    said = hub.type(f"sudo homesystem upgrade {path.name}", code=1)
    assert "POST /api/v1/devices/hall/lamp/commands answers 504" in said, said
    assert "is as it was before, and runs" in said, said
    assert packaging.version_of(hub, "home-system") == before
    assert not hub.run("dpkg --verify home-system")
    assert packaging.identity_of(hub) == identity
    _nothing_left(hub)
    for unit in UNITS:
        hub.until_active(unit)
    well(house)
    assert house.visitor.call("GET", "/api/v1/me").status == 200, "who was signed in is not any more"
    house.report.saw(
        f"a version with a fault was tried, and the hub went back to {before}: the hall is there, and obeys"
    )
    letter = house.mail.wait_for("was not brought up to date", after=mails)
    house.report.saw(f"the master user has the letter “{letter['Subject']}”, and is signed in still")
    house.report.saw("the record is whole: " + " ".join(hub.run("homesystem audit verify").split())[:120])


def room_goes_back(house: House) -> None:
    """A newer agent that ends at once on the room's machine: the former one is back by itself, and the room obeys."""
    room, path = house.room, house.packages.faulty_agent
    before = packaging.version_of(room, "home-system-agent")
    file = room.run(f"sha256sum {VAR}/agents/hall.toml {VAR}/pki/hall/*")
    bring(room, path)
    room.home_folder()
    said = room.type(f"sudo homesystem upgrade {path.name}", code=1)
    assert "is as it was before, and runs" in said, said
    assert packaging.version_of(room, "home-system-agent") == before
    assert not room.run("dpkg --verify home-system-agent; dpkg --audit")
    assert room.run(f"sha256sum {VAR}/agents/hall.toml {VAR}/pki/hall/*") == file
    _nothing_left(room)
    room.until_active(AGENT)
    well(house)
    house.report.saw(
        f"an agent that does not run was tried, and the hall went back to {before}: it is there, and obeys"
    )


def cut_off(house: House) -> None:
    """The power goes amid an upgrade: the machine finishes it when it starts, or goes on going back."""
    hub, before = house.hub, packaging.version_of(house.hub, "home-system")
    mails = house.mail.count
    _cut(house, house.packages.faulty_hub, "reinstalling", f"find {CODE} -name '*.dpkg-new' | head -1")
    assert packaging.version_of(hub, "home-system") == before, hub.run("journalctl -o cat -u 'finish-homesystem*'")
    _after_the_cut(house)
    house.mail.wait_for("was not brought up to date", after=mails)
    house.report.saw(
        f"cut while the former version lay half unpacked again, it went back to {before}, and a letter says so"
    )
    later = house.packages.later_hub
    _cut(house, later, "installing", f"find {CODE} -name '*.dpkg-new' | head -1")
    version = later.name.split("_")[1]
    assert packaging.version_of(hub, "home-system") == version, hub.run("journalctl -o cat -u 'finish-homesystem*'")
    _after_the_cut(house)
    house.report.saw(f"cut while the newer version lay half unpacked, it finished by itself: it has {version}")


def _cut(house: House, path: Path, step: str, sign: str) -> None:
    """Begin an upgrade, take the power away at that step once `sign` shows something, and let the machine finish."""
    hub, journal = house.hub, f"{_UPGRADE}/step.json"
    bring(hub, path)
    hub.run(f"systemd-run --quiet homesystem upgrade /home/{PERSON}/{path.name}")
    reached = f"grep -s '\"{step}\"' {journal} && {sign} | grep . || true"
    hub.until(lambda: hub.run(reached).count("\n") > 1, f"{step}, and something shows of it", 400)
    hub.cut()
    hub.boot()
    hub.until(lambda: hub.run(f"test ! -e {journal} && echo done || true"), "it is finished", 400)


def _after_the_cut(house: House) -> None:
    assert not house.hub.run("dpkg --verify home-system; dpkg --audit")
    _nothing_left(house.hub)
    well(house)


def _nothing_left(hub: Machine) -> None:
    left = hub.run(f"ls {_UPGRADE}; ls -d /var/lib/homesystem.closed /etc/systemd/system/finish-* 2>/dev/null || true")
    assert set(left.split()) == {"last.json", "lock"}, left
