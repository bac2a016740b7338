"""The home from Debian packages: installed, in a checkout's place, removed, erased, on to a newer Debian."""

import re
import shutil
from pathlib import Path

from tests import exposure
from tests.booted.house import AGENT, MASTER, PASSWORD, UNITS, VAR, House
from tests.booted.machine import Machine
from tests.booted.phases import enrolling, founding, restoring
from tests.booted.phases.dying import well
from tests.booted.terminal import Answer
from tests.booted.trees import PERSON
from tests.booted.visitor import Visitor

CODE = "/usr/lib/homesystem"
_QUESTION = r"Erase the home as well\? \[yes/no\] "
_OLD_NAME = "old.home.arpa"
EXPOSURE_MOST = 2.0
"""What `systemd-analyze security` may say of a service, of 10."""


def install(house: House) -> None:
    """A fresh Debian gets one file and one command."""
    house.hub.boot()
    before = _files(house.hub, "/etc")
    code(house, house.hub)
    version = version_of(house.hub, "home-system")
    house.report.saw(f"home-system {version} is installed, whose Python is {_python(house.hub)}")
    assert not house.hub.run(f"dpkg --verify home-system; find {CODE} -user homesystem")
    left = {name for name in _files(house.hub, "/etc") - before if "homesystem" in name}
    assert all(".wants/" in name for name in left), f"not in the package, and nobody's: {left}"
    house.report.saw("every file is as in the package, root's, and in /etc are links of systemd's alone")
    _judge_units(house)
    unit = house.hub.unit("mosquitto", "ActiveState")["ActiveState"]
    house.report.note(
        f"Debian's own mosquitto.service is {unit}: on port 1883 of this machine, which the home leaves alone"
    )


def code(house: House, machine: Machine) -> None:
    """The hub's package, as the guide has it."""
    bring(machine, house.packages.hub)
    house.follow(machine, "deb-hub")


def restore(house: House) -> None:
    """A hub that is lost, where the new one gets the package."""
    restoring.restore(house, code)


def enrol(house: House) -> None:
    """A room's machine gets its file and the folder from the hub."""
    house.follow(house.hub, "room-add")
    house.room.boot()
    enrolling.carry(house, "hall")
    bring(house.room, house.packages.agent)
    house.follow(house.room, "deb-room")
    enrolling.edit(house, "hall")
    house.follow(house.room, "room-start")
    house.room.until_active(AGENT)
    house.room.until(lambda: house.visitor.device("hall/lamp").get("available"), "the hall's lamp is there", 60)
    taken = house.room.run("du -sm /usr/lib/homesystem | cut -f 1").strip()
    house.report.saw(f"the hall is online; its code and environment take {taken} MB, compiled")
    assert not house.room.run("command -v mosquitto git gcc || true").strip(), "a room needs none of these"
    house.report.saw("neither a compiler, nor git, nor a broker came along")


def refused(house: House) -> None:
    """A room's file that was right for the code that runs and is not for the code that comes; mended, it goes on."""
    room, file = house.room, f"{VAR}/agents/hall.toml"
    before = room.unit(AGENT, "MainPID", "ActiveState")
    room.run(f"sed -i '1i watchdog_seconds = 60' {file}")
    again = f"apt-get install -y --reinstall /home/{PERSON}/{house.packages.newer_agent.name}"
    said = room.run(f"{again} 2>&1; echo it ended with $?", seconds=300)
    assert "it ended with 100" in said, said
    assert "5 to 15 would be right" in said, said
    assert "sudo dpkg --configure -a" in said, said
    assert room.unit(AGENT, "MainPID", "ActiveState") == before, "the room goes on as it was"
    house.report.saw(
        "where newer code refuses a room's file, apt says why and what to do, and the room goes on as it was"
    )
    room.run(f"sed -i '/^watchdog_seconds = 60$/d' {file}")
    room.run("dpkg --configure -a", seconds=300)
    well(house)
    house.report.saw("once the file is mended, `dpkg --configure -a` finishes")


def remove(house: House) -> None:
    """Removed: nothing runs, nothing of the code is left, the home is. Installed again: it goes on."""
    identity = identity_of(house.hub)
    house.follow(house.hub, "deb-remove")
    units = "systemctl list-units --plain --no-legend --state=active,activating,deactivating,failed 'homesystem*'"
    links = "find /etc/systemd/system -name 'homesystem*'"
    listed = house.hub.run(f"{units}; {links}")
    assert not listed.strip(), listed
    assert house.hub.run(f"ls {CODE} 2>/dev/null || true") == "", "something of the code is left"
    assert identity_of(house.hub) == identity
    house.report.saw("nothing runs or starts, no __pycache__ is left, the home is as it was")
    bring(house.hub, house.packages.newer_agent, beside=True)
    said = _apt(house.hub, f"install -y /home/{PERSON}/{house.packages.newer_agent.name} 2>&1")
    assert "sudo apt-get install ./home-system_*.deb" in said, said
    assert not house.hub.run(f"{units}; {links}").strip()
    house.report.saw("the agent's package in its place says how the hub comes back")
    house.follow(house.hub, "deb-hub")
    for unit in UNITS:
        house.hub.until_active(unit)
        assert house.hub.unit(unit, "UnitFileState")["UnitFileState"] == "enabled"
    well(house)
    assert house.visitor.sign_in(MASTER, PASSWORD)["role"] == "master"
    house.report.saw("installed again it goes on: the master user signs in, a command is executed")


def purge(house: House) -> None:
    """Purged without a yes the home stays; with one, after a backup, nothing of it is left."""
    _apt(house.hub, "purge -y home-system")
    assert "home.toml" in house.hub.run(f"ls {VAR}"), "the home went without a yes"
    house.report.saw("purged where nobody can be asked: the home, its record and its keys stay")
    newer = house.hub.run("cat /etc/debian_version").startswith("13") and house.packages.next_hub
    bring(house.hub, again := newer or house.packages.newer_hub)
    _apt(house.hub, f"install -y /home/{PERSON}/{again.name}")
    for unit in UNITS:
        house.hub.until_active(unit)
    well(house)
    house.report.saw("installed again it goes on with that home, and with what was enabled: a command is executed")
    house.follow(house.hub, "deb-purge", [Answer(_QUESTION, "yes")])
    left = house.hub.run("ls -d /var/lib/homesystem* /usr/lib/homesystem* 2>/dev/null || true").split()
    assert not left, f"of the home is left: {left}"
    assert house.hub.run("getent passwd homesystem homesystem-signer").count("\n") == 2
    house.report.saw("purged with a yes: home, record and keys are gone; the users stay")


def in_favour(house: House) -> None:
    """The room's machine gets the hub's package, which has the agent, too, and takes its place under it."""
    room, path = house.room, house.packages.newer_hub
    process = main_process(room)
    bring(room, path)
    _apt(room, f"install -y /home/{PERSON}/{path.name}")
    left = room.run("dpkg-query -W -f '${db:Status-Status}' home-system-agent 2>/dev/null || true")
    assert left in {"", "config-files"}, left
    assert not room.run("dpkg --verify home-system")
    room.until_active(AGENT)
    assert main_process(room) != process, "the room goes on with the other package's code"
    assert room.unit(AGENT, "UnitFileState")["UnitFileState"] == "enabled"
    well(house)
    house.report.saw("home-system took the place of home-system-agent; the hall is enabled as before, and obeys")


def from_git(house: House) -> None:
    """A hub that install.sh set up from a checkout gets the package: the same home, and nothing hides its units."""
    old = house.machine("old")
    try:
        old.boot()
        house.follow(old, "hub-install")
        answers = [
            answer if "hub's name" not in answer.prompt else Answer(answer.prompt, _OLD_NAME)
            for answer in founding.ANSWERS
        ]
        house.follow(old, "hub-init", answers)
        house.follow(old, "hub-units")
        for unit in UNITS:
            old.until_active(unit)
        identity = identity_of(old)
        bring(old, house.packages.hub)
        house.follow(old, "deb-hub")
        for unit in UNITS:
            old.until_active(unit)
            shown = old.unit(unit, "FragmentPath", "UnitFileState")
            # Debian 12's systemd has the same folder by its older name.
            assert shown["FragmentPath"].removeprefix("/usr") == f"/lib/systemd/system/{unit}.service", shown
            assert shown["UnitFileState"] == "enabled", shown
        assert identity_of(old) == identity
        assert old.run("readlink -f /proc/$(systemctl show -P MainPID homesystem-auth)/cwd").strip() == CODE
        house.report.saw("every unit is the package's and runs its code, with the authorities and secrets of before")
        visitor = Visitor(_OLD_NAME, old.address, old.run(f"cat {VAR}/pki/web-ca.crt"), house.mail)
        old.until(visitor.ready, "its gateway is ready", 60)
        assert visitor.sign_in(MASTER, PASSWORD)["role"] == "master"
        house.report.saw("its master user signs in")
        said = old.run("/opt/homesystem/deploy/install.sh hub 2>&1; echo it ended with $?")
        assert "as a Debian package" in said, said
        assert "it ended with 1" in said, said
        house.report.saw("install.sh of the checkout refuses from then on, and names the package's own update")
    finally:
        old.cut()


def next_debian(house: House) -> None:
    """From this Debian to the next under a home that runs, and then to the package for that one."""
    assert house.packages.next_hub is not None
    hub, path = house.hub, house.packages.next_hub
    bring(hub, path)
    said = hub.run(f"homesystem upgrade /home/{PERSON}/{path.name} 2>&1; echo it ended with $?")
    assert "needs python3.13, which is not here" in said, said
    assert "it ended with 1" in said, said
    well(house)
    house.report.saw("before that the package for the next Debian is refused, and all goes on: " + said.splitlines()[0])
    hub.run("sed -i 's/bookworm/trixie/g' /etc/apt/sources.list && rm -f /etc/apt/sources.list.d/*.list")
    _apt(hub, "update")
    _apt(hub, "-o Dpkg::Options::=--force-confold dist-upgrade -y")
    hub.off()
    hub.boot()
    assert hub.run("cat /etc/debian_version").startswith("13"), hub.run("cat /etc/debian_version")
    for unit in UNITS:
        hub.until_active(unit)
    well(house)
    house.report.saw(f"on Debian 13 the home goes on with {version_of(hub, 'home-system')} and its {_python(hub)}")
    bring(hub, house.packages.newer_hub, beside=True)
    said = hub.run(f"homesystem upgrade /home/{PERSON}/home-system_*.deb 2>&1", seconds=600)
    assert f"Of these files it is /home/{PERSON}/{path.name}" in said, said
    for unit in UNITS:
        hub.until_active(unit)
    assert _python(hub).startswith("Python 3.13"), _python(hub)
    well(house)
    house.report.saw(
        f"then with {version_of(hub, 'home-system')} and its {_python(hub)}: the hall is there, a command is executed"
    )


def _judge_units(house: House) -> None:
    """What systemd itself says of the units as they are installed."""
    found = house.hub.run("ls /usr/lib/systemd/system | grep ^homesystem").split()
    names = " ".join(name.replace("@.", "@hall.") for name in found)
    said = house.hub.run(f"systemd-analyze verify --man=no {names} 2>&1 | grep homesystem || true")
    assert not said, said
    services = [name for name in names.split() if name.endswith(".service")]
    judged = house.hub.run(f"for unit in {' '.join(services)}; do systemd-analyze security $unit | tail -1; done")
    found_out = dict(re.findall(r"for (homesystem\S+): ([0-9.]+)", judged))
    assert len(found_out) == len(services), judged
    worse = {unit for unit, figure in found_out.items() if float(figure) > exposure.AS_ROOT.get(unit, EXPOSURE_MOST)}
    assert not worse, judged
    exposures = [float(figure) for figure in found_out.values()]
    house.report.saw(f"systemd finds nothing wrong in {len(found)} units, and an exposure of {max(exposures)} at most")


def bring(machine: Machine, package: Path, *, beside: bool = False) -> None:
    """The package's file into the person's folder, alone of its kind there, or `beside` what was brought before."""
    folder = machine.tree / f"home/{PERSON}"
    for old in folder.glob("*.deb"):
        if not beside:
            old.unlink()
    shutil.copy(package, folder)


def _apt(machine: Machine, words: str) -> str:
    return machine.run(f"DEBIAN_FRONTEND=noninteractive apt-get {words}", seconds=1800)


def version_of(machine: Machine, package: str) -> str:
    return machine.run(f"dpkg-query -W -f '${{Version}}' {package}").strip()


def _python(machine: Machine) -> str:
    return machine.run(f"{CODE}/.venv/bin/python --version").strip()


def _files(machine: Machine, folder: str) -> set[str]:
    return set(machine.run(f"find {folder}").splitlines())


def identity_of(machine: Machine) -> str:
    return machine.run(f"sha256sum {VAR}/pki/web-ca.crt {VAR}/pki/device-ca.crt {VAR}/secrets/*")


def main_process(machine: Machine) -> str:
    unit = AGENT if machine.name == "hall" else UNITS[-1]
    return machine.unit(unit, "MainPID")["MainPID"]
