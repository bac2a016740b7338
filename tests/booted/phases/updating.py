"""Newer code on a hub that runs: from the commit before there was an installer, and from one commit to the next."""

from tests.booted import mailserver
from tests.booted.guide import blocks
from tests.booted.house import AGENT, MASTER, MASTER_NAME, PASSWORD, UNITS, VAR, House
from tests.booted.phases.dying import well
from tests.booted.repository import URL
from tests.booted.terminal import Answer
from tests.booted.visitor import Visitor

OLD = "e6b9bfa"
"""The last commit whose guide had people do by hand what install.sh does; homes of its kind are out there."""
OLD_NAME = "old.home.arpa"
OLD_ANSWERS = [
    Answer(r"The hub's name on your network", OLD_NAME),
    Answer(r"Time zone", ""),
    Answer(r"Mail server \(SMTP\)", mailserver.NAME),
    Answer(r"Its port", "587"),
    Answer(r"User name there", mailserver.USER),
    Answer(r"Password there", mailserver.PASSWORD, "(the mail password)"),
    Answer(r"Your e-mail address", MASTER),
    Answer(r"Your name", MASTER_NAME),
    Answer(r"A password of 12 characters", PASSWORD, "(a password)"),
    Answer(r"Again", PASSWORD, "(the same)"),
]


def from_old(house: House) -> None:
    """A home made by an older guide, as that guide says; then the update that today's guide has for it."""
    assert house.repository.knows(OLD), f"this checkout does not reach back to {OLD}: fetch all of its history"
    guide = blocks(house.repository.text(OLD, "docs/setup.md"), marked=False)
    house.repository.offer(house.repository.full(OLD))
    old = house.machine("old")
    try:
        old.boot()
        old.type("sudo apt-get install -y git")  # that guide took it for granted
        for block in guide[:2]:
            old.home_folder()
            for command in block.commands:
                old.type(command.replace("https://example.org/homesystem", URL), OLD_ANSWERS)
        there = [unit for unit in UNITS if (old.tree / f"etc/systemd/system/{unit}.service").exists()]
        assert there, "the old guide installs no unit"
        for unit in there:
            old.until_active(unit)
        identity = old.run(f"sha256sum {VAR}/pki/web-ca.crt {VAR}/pki/device-ca.crt {VAR}/secrets/*")
        house.report.note(f"a home as {OLD} makes it runs")
        house.repository.offer(house.repository.newest)
        house.follow(old, "update-first")
        for unit in UNITS:
            old.until_active(unit)
        now = old.run(f"sha256sum {VAR}/pki/web-ca.crt {VAR}/pki/device-ca.crt {VAR}/secrets/*")
        gone = set(identity.splitlines()) - set(now.splitlines())  # newer code may have secrets of its own
        assert not gone, f"no longer as they were: {gone}"
        house.report.saw("after the update it runs, with the authorities and secrets that it had")
        visitor = Visitor(OLD_NAME, old.address, old.run(f"cat {VAR}/pki/web-ca.crt"), house.mail)
        old.until(visitor.ready, "its gateway is ready", 60)
        assert visitor.sign_in(MASTER, PASSWORD)["role"] == "master"
        house.report.saw("its master user signs in")
        said = house.follow(old, "doctor")
        assert "✓" in said, said
        assert "✗" not in said, said
        house.report.saw(f"doctor says ✓ {said.count('✓')} times and ✗ never")
        old.cut()
    finally:
        house.repository.offer(house.repository.newest)


def to_newer(house: House) -> None:
    """The guide's one command, on the hub and then on the room's machine."""
    newer = house.repository.newer()
    house.repository.offer(newer)
    for machine in (house.hub, house.room):
        house.follow(machine, "update")
        there = machine.run("git -c safe.directory=/opt/homesystem -C /opt/homesystem rev-parse HEAD").strip()
        assert there == newer, f"{machine.name} has {there}, not {newer}"
        house.report.saw(f"{machine.name} has the newer commit")
    _refused(house)
    for unit in UNITS:
        house.hub.until_active(unit)
    well(house)
    house.report.saw("the home is ready, the hall is there, and a command is executed")


def _refused(house: House) -> None:
    """A room's file that was right for the code that runs, and is not for the code that comes."""
    room, file = house.room, f"{VAR}/agents/hall.toml"
    before = room.unit(AGENT, "MainPID", "ActiveState")
    room.run(f"sed -i '1i watchdog_seconds = 60' {file}")
    said = room.run("bash /opt/homesystem/deploy/install.sh 2>&1; echo it ended with $?", seconds=300)
    room.run(f"sed -i '/^watchdog_seconds = 60$/d' {file}")
    assert "it ended with 1" in said, said
    assert "5 to 15 would be right" in said, said
    assert room.unit(AGENT, "MainPID", "ActiveState") == before, "the room goes on as it was"
    house.report.saw("where newer code refuses a room's file, the installer says why, and the room goes on as it was")
